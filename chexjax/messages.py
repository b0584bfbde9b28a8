"""What the library says while it works.

The library prints nothing: it tells the logger `chexjax`, which is silent until
a program gives it a handler. The commands give it one that writes to the
console (`chexjax.commands.console`); in a notebook,
`logging.basicConfig(level="INFO")` shows the same lines.
"""

import logging

LOGGER = logging.getLogger("chexjax")
LOGGER.addHandler(logging.NullHandler())
# Attribute of a record that a terminal shows until something else is said.
PASSING = "chexjax_passing"


def tell(text: str) -> None:
  """Say what is being done or was found."""
  LOGGER.info("%s", text)


def warn(text: str) -> None:
  """Say what a person should look at; the work goes on."""
  LOGGER.warning("%s", text)


def milestone(text: str) -> None:
  """Say how far a work is; a terminal shows it until something else is said.

  Args:
    text: one line.
  """
  LOGGER.info("%s", text, extra={PASSING: True})


def glimpse(text: str) -> None:
  """Show on a terminal, and nowhere else, how far a work is at this moment.

  Args:
    text: one line; empty to take away the last one.
  """
  LOGGER.debug("%s", text, extra={PASSING: True})
