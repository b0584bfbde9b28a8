"""A hand and an eye for the report in a browser."""


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
