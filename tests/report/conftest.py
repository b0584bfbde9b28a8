"""The report of many cases, open in headless Chromium.

Needs `chromium`, `chromedriver` and the Python package selenium, none of which
the project asks for; tests are skipped without.
"""

import shutil

import pytest
from page_driver import wait
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
  # 1,000 boxed cases, as many as the real ones, and wrong calls.
  text = render(make_run(folder / "run", "run", num=1000))
  (folder / "report.html").write_text(text, encoding="utf-8")
  browser.set_window_size(1200, 900)
  browser.get(f"file://{folder / 'report.html'}")
  wait(browser)
  return browser
