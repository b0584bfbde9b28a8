"""The page in headless Chromium; skipped where there is none.

Needs `chromium`, `chromedriver` and the Python package selenium, none of which
the project asks for.
"""

import shutil

import pytest
from test_page import make_run, render

from chexjax.evaluation.protocols.wrong_calls import PER_FINDING

ALL = 1000 + 2 * PER_FINDING  # boxed cases, and the alarms of two findings
CHROME = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
OPTIONS = (
  "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
  "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
  webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium")
  if not CHROME or not DRIVER:
    pytest.skip("no chromium or no chromedriver")
  options = webdriver.ChromeOptions()
  options.binary_location = CHROME
  for option in OPTIONS:
    options.add_argument(option)
  options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
  options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
  service = webdriver.ChromeService(executable_path=DRIVER)
  driver = webdriver.Chrome(options=options, service=service)
  yield driver
  driver.quit()


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
  folder = tmp_path_factory.mktemp("page")
  # 1,000 boxed cases, as many as the real ones, and wrong calls.
  text = render(make_run(folder / "run", "run", num=1000))
  (folder / "report.html").write_text(text, encoding="utf-8")
  browser.set_window_size(1200, 900)
  browser.get(f"file://{folder / 'report.html'}")
  wait(browser)
  return browser


def wait(browser):
  """Waits until the case that is chosen is drawn."""
  from selenium.webdriver.support.ui import WebDriverWait

  script = """
    const row = state.rows[state.at];
    return document.body.dataset.drawn ===
      (row ? `${row.image} ${row.finding}` : "none")"""
  WebDriverWait(browser, 20).until(lambda b: b.execute_script(script))


def pixels(browser):
  """Returns the drawn picture once it no longer changes."""
  script = "return document.querySelector('.stage canvas').toDataURL()"
  browser.execute_async_script("draw().then(arguments[0])")
  return browser.execute_script(script)


def put(browser, selector, value):
  """Sets a control and tells the page, as a hand would."""
  browser.execute_script(
    """const input = document.querySelector(arguments[0]);
    if (input.type === "checkbox") input.checked = arguments[1];
    else input.value = arguments[1];
    input.dispatchEvent(new Event("input"));
    input.dispatchEvent(new Event("change"));""",
    selector,
    value,
  )
  wait(browser)


def position(browser):
  return browser.execute_script(
    "return document.getElementById('position').textContent"
  )


def test_it_loads_without_a_console_error(opened):
  assert opened.get_log("browser") == []
  assert position(opened) == f"1 of {ALL}"


@pytest.mark.parametrize(
  "section", ["verdict", "key", "cases", "tables", "figures"]
)
def test_links_land_where_they_say(opened, section):
  place = """const top = document.getElementById(arguments[0])
      .getBoundingClientRect().top;
    const end = document.documentElement.scrollHeight - innerHeight;
    return [top, Math.abs(scrollY - end) < 2]"""
  opened.execute_script(
    "scrollTo(0, 0); document.querySelector(arguments[0]).click()",
    f"nav a[href='#{section}']",
  )
  pixels(opened)  # whatever loads late has loaded
  top, at_end = opened.execute_script(place, section)
  assert 0 <= top < 20 or (at_end and top > 0)


def chosen(browser, expression):
  return browser.execute_script(f"return state.rows.map((r) => {expression})")


def put_option(browser, selector, start):
  """Chooses the option whose text begins so."""
  texts = browser.execute_script(
    "return [...document.querySelector(arguments[0]).options].map(o => o.text)",
    selector,
  )
  (number,) = (i for i, text in enumerate(texts) if text.startswith(start))
  put(browser, selector, str(number))


def test_the_worst_come_first_and_kinds_take_turns(opened):
  kinds = chosen(opened, "[r.runs[0].kind, r.true !== null]")
  assert [kind for kind, _ in kinds[:3]] == ["false alarm", "miss", "found"]
  assert [kind for kind, _ in kinds[3:6]] == ["false alarm", "miss", "found"]
  rows = chosen(opened, "[r.runs[0].kind, r.runs[0].score]")
  alarms = [score for kind, score in rows if kind == "false alarm"]
  assert alarms == sorted(alarms, reverse=True)
  misses = [score for kind, score in rows if kind == "miss"]
  assert misses == sorted(misses)
  rows = chosen(opened, "[r.runs[0].kind, r.runs[0].maps.mix.iou]")
  found = [iou for kind, iou in rows if kind == "found"]
  assert found == sorted(found)


def test_false_alarms_and_misses_are_listed(opened):
  put_option(opened, "#kind", "false alarms")
  assert position(opened) == "1 of 16"
  assert set(chosen(opened, "r.runs[0].kind")) == {"false alarm"}
  texts = opened.execute_script(
    "return [...document.querySelectorAll('#list .what')].map(s => "
    "s.textContent)"
  )
  assert len(texts) == 16
  assert all(" · false alarm 0." in text for text in texts)
  said = "return document.querySelector('.stage').textContent"
  text = opened.execute_script(said)
  assert "no true box" in text
  assert "sensitivity 0." in text
  assert "of 500), specificity 0." in text
  # The range of the map stands at the ends of its colour bar.
  low, high = opened.execute_script(
    "return [...document.querySelectorAll('.bar span')].slice(1)"
    ".map((s) => Number(s.textContent))"
  )
  assert 0 <= low < high < 1
  put_option(opened, "#kind", "misses")
  assert set(chosen(opened, "r.runs[0].kind")) == {"miss"}
  # Without a case nothing of the last one is left.
  opened.execute_script("state.rows = []; go(0)")
  pixels(opened)
  assert opened.execute_script(said).strip() == ""
  assert position(opened) == "no case"
  put_option(opened, "#kind", "all")


def test_a_finding_is_chosen_and_sorted(opened):
  put(opened, "#finding", "Mass")
  put_option(opened, "#kind", "with a true box")
  assert position(opened) == "1 of 500"
  put_option(opened, "#order", "Mix IoU, best first")
  best = chosen(opened, "r.runs[0].maps.mix.iou")
  assert best == sorted(best, reverse=True)
  put_option(opened, "#order", "score, lowest first")
  scores = chosen(opened, "r.runs[0].score")
  assert scores == sorted(scores)
  put_option(opened, "#kind", "all")
  put_option(opened, "#order", "Mix IoU, worst first")
  # Cases without an IoU come last.
  assert chosen(opened, "r.true === null")[-8:] == [True] * 8
  put_option(opened, "#order", "worst first")
  put(opened, "#finding", "")


def test_the_film_is_shown_larger(opened):
  sizes = """const frame = document.querySelector(".film");
    const canvas = frame.firstElementChild;
    return [frame.clientWidth, canvas.clientWidth, frame.scrollLeft,
            document.getElementById("zoom").textContent]"""
  frame, canvas, left, said = opened.execute_script(sizes)
  assert frame == canvas
  # The stored film has 64 pixels.
  assert said == f"{round(100 * canvas / 64)} %"
  opened.find_element("id", "in").click()
  opened.find_element("id", "in").click()
  pixels(opened)
  frame, canvas, left, said = opened.execute_script(sizes)
  assert canvas == 2 * frame
  # The middle stays in the middle.
  assert left == pytest.approx(frame / 2, abs=2)
  assert said == f"{round(100 * canvas / 64)} %"
  opened.execute_script("document.activeElement.blur()")
  opened.execute_script(
    "document.dispatchEvent(new KeyboardEvent('keydown', {key: '0'}))"
  )
  pixels(opened)
  frame, canvas, left, _ = opened.execute_script(sizes)
  assert (canvas, left) == (frame, 0)
  assert opened.execute_script("return document.getElementById('out').disabled")


def test_sliders_and_switches_change_the_picture(opened):
  put_option(opened, "#kind", "with a true box")
  before = pixels(opened)
  put(opened, "#opacity [data-map=mix]", "0")
  bare = pixels(opened)
  put(opened, "#opacity [data-map=sal]", "80")
  sal = pixels(opened)
  put(opened, "#boxes [data-map=true]", False)
  put(opened, "#boxes [data-map=mix]", False)
  no_box = pixels(opened)
  assert len({before, bare, sal, no_box}) == 4
  put(opened, "#opacity [data-map=sal]", "0")
  put(opened, "#opacity [data-map=mix]", "60")
  put(opened, "#boxes [data-map=true]", True)
  put(opened, "#boxes [data-map=mix]", True)
  assert pixels(opened) == before
  put_option(opened, "#kind", "all")


def test_keys_go_on(opened):
  from selenium.webdriver.common.action_chains import ActionChains
  from selenium.webdriver.common.keys import Keys

  opened.execute_script("document.activeElement.blur(); go(0)")
  for key, want in (
    (Keys.ARROW_RIGHT, f"2 of {ALL}"),
    ("n", f"3 of {ALL}"),
    ("p", f"2 of {ALL}"),
    (Keys.ARROW_LEFT, f"1 of {ALL}"),
    (Keys.ARROW_LEFT, f"1 of {ALL}"),
  ):
    ActionChains(opened).send_keys(key).perform()
    assert position(opened) == want
  put_option(opened, "#kind", "with a true box")
  opened.execute_script("document.activeElement.blur()")
  before = pixels(opened)
  ActionChains(opened).send_keys("b").perform()
  assert pixels(opened) != before
  ActionChains(opened).send_keys("b").perform()
  put_option(opened, "#kind", "all")


def test_a_table_is_sorted_by_a_click(opened):
  script = """
    const table = document.querySelector("#tables table");
    table.tHead.rows[0].cells[1].firstElementChild.click();
    return [...table.tBodies[0].rows].map((r) => r.cells[1].textContent)"""
  up = [float(v) for v in opened.execute_script(script)]
  assert up == sorted(up)
  down = [float(v) for v in opened.execute_script(script)]
  assert down == sorted(down, reverse=True)


def test_names_are_text(opened):
  script = "return document.querySelectorAll('img[src=x]').length"
  assert opened.execute_script(script) == 0
  script = """return [...document.querySelectorAll(".list button span")]
    .some((s) => s.textContent.startsWith("</script><img"))"""
  assert opened.execute_script(script)


def test_a_table_of_figures_is_aligned_and_its_frame_has_the_focus(opened):
  script = """
    const cells = [...document.querySelectorAll("#tables td")];
    return cells.filter((c) => c.textContent === "-")
      .map((c) => getComputedStyle(c).textAlign)"""
  assert set(opened.execute_script(script)) == {"right"}
  script = """
    const frames = [...document.querySelectorAll(".scroll")];
    return frames.every((f) => f.tabIndex === 0 && f.ariaLabel)"""
  assert opened.execute_script(script)


@pytest.fixture
def phone(opened):
  screen = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
  opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
  opened.execute_script("scrollTo(0, 0)")
  yield opened
  opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
  assert opened.get_log("browser") == []


def test_a_phones_width(phone):
  script = "return [document.documentElement.scrollWidth, innerWidth]"
  wide, inner = phone.execute_script(script)
  assert wide <= inner == 390
  script = "return getComputedStyle(document.querySelector('.keys')).display"
  assert phone.execute_script(script) == "none"


def test_the_first_column_stays_on_a_phone(phone):
  script = """
    const details = [...document.querySelectorAll("#tables details")][1];
    details.open = true;
    const frame = details.querySelector(".scroll");
    const done = arguments[0];
    requestAnimationFrame(() => requestAnimationFrame(() => {
      frame.scrollLeft = 10000;
      const row = frame.querySelector("tbody tr");
      const edge = (cell) =>
        cell.getBoundingClientRect().left - frame.getBoundingClientRect().left;
      const last = row.cells[row.cells.length - 1].getBoundingClientRect();
      done([frame.scrollLeft, edge(row.cells[0]), last.right, innerWidth]);
    }));"""
  moved, first, last, wide = phone.execute_async_script(script)
  assert moved > 50
  assert first == pytest.approx(0, abs=1)
  assert last <= wide


def test_figures_keep_their_size_on_a_phone(phone):
  script = """
    for (const details of document.querySelectorAll("#figures details")) {
      details.open = true;
    }
    const image = document.querySelector("#figures img");
    return [image.clientWidth, image.width]"""
  assert phone.execute_script(script) == [9, 9]
