"""The page in headless Chromium; skipped where there is none.

Needs `chromium`, `chromedriver` and the Python package selenium, none of which
the project asks for.
"""

import shutil

import pytest
from test_page import make_run, render

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
  # 1,000 cases, as many as the real boxes.
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
  assert position(opened) == "1 of 1000"


def test_a_finding_is_chosen_and_sorted(opened):
  put(opened, "#finding", "Mass")
  assert position(opened) == "1 of 500"
  order = "return state.rows.map((r) => r.runs[0].maps.mix.iou)"
  best = opened.execute_script(order)
  assert best == sorted(best, reverse=True)
  text = "return [...document.getElementById('order').options].map(o => o.text)"
  texts = opened.execute_script(text)
  put(opened, "#order", str(texts.index("score, lowest first")))
  scores = opened.execute_script("return state.rows.map(r => r.runs[0].score)")
  assert scores == sorted(scores)
  put(opened, "#finding", "")


def test_sliders_and_switches_change_the_picture(opened):
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


def test_keys_go_on(opened):
  from selenium.webdriver.common.action_chains import ActionChains
  from selenium.webdriver.common.keys import Keys

  opened.execute_script("document.activeElement.blur(); go(0)")
  for key, want in (
    (Keys.ARROW_RIGHT, "2 of 1000"),
    ("n", "3 of 1000"),
    ("p", "2 of 1000"),
    (Keys.ARROW_LEFT, "1 of 1000"),
    (Keys.ARROW_LEFT, "1 of 1000"),
  ):
    ActionChains(opened).send_keys(key).perform()
    assert position(opened) == want
  before = pixels(opened)
  ActionChains(opened).send_keys("b").perform()
  assert pixels(opened) != before
  ActionChains(opened).send_keys("b").perform()


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


def test_a_phones_width(opened):
  opened.execute_cdp_cmd(
    "Emulation.setDeviceMetricsOverride",
    {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True},
  )
  script = "return [document.documentElement.scrollWidth, innerWidth]"
  wide, inner = opened.execute_script(script)
  opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
  assert wide <= inner == 390
  assert opened.get_log("browser") == []
