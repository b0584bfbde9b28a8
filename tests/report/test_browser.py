"""The page in headless Chromium; skipped where there is none."""

import pytest
from page_driver import pixels, position, put, put_option

from chexjax.evaluation.protocols.wrong_calls import PER_FINDING

ALL = 1000 + 2 * PER_FINDING  # boxed cases, and the alarms of two findings


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
