"""What the library says while it works.

The library prints nothing: it tells the logger `chexjax`, which is silent until
a program gives it a handler. The commands give it one that writes to the
console (`chexjax.commands.console`); in a notebook,
`logging.basicConfig(level="INFO")` shows the same lines.
"""

import logging

LOGGER = logging.getLogger("chexjax")
LOGGER.addHandler(logging.NullHandler())


def tell(text: str) -> None:
  """Say what is being done or was found."""
  LOGGER.info("%s", text)


def warn(text: str) -> None:
  """Say what a person should look at; the work goes on."""
  LOGGER.warning("%s", text)


def progress(text: str, *, last: bool) -> None:
  """Say how far the work is; a console shows it in place of the line before.

  Args:
    text: one line.
    last: whether the line stays.
  """
  LOGGER.info(
    "%s", text, extra={"chexjax_progress": True, "chexjax_last": last}
  )
