"""The lines of a console: what the library says, with the time of day.

On a terminal a line of progress takes the place of the one before, by spaces
and carriage returns alone: no colour, no escape sequence. Where nobody looks on
(a file, a pipe, `TERM=dumb`) every line is a line of its own.
"""

import logging
import os
import shutil
import sys
import time
from typing import Any

from chexjax import messages

# A terminal with fewer columns has no room for the time of day in a line that
# must not break.
_NARROW = 50
_DATASET = "tfds_chestxray14"


def is_terminal(stream: Any) -> bool:
  """Return whether a line that was written to a stream can be replaced.

  Args:
    stream: such as standard output; None where there is none.
  """
  if stream is None or os.environ.get("TERM") == "dumb":
    return False
  try:
    return bool(stream.isatty())
  except ValueError:  # It is closed.
    return False


class ConsoleHandler(logging.Handler):
  """Writes to standard output, warnings to standard error."""

  def __init__(self) -> None:
    """Start with no line of progress shown."""
    super().__init__()
    self._shown = 0  # characters of the line of progress

  def emit(self, record: logging.LogRecord) -> None:
    """Write one message; a line of progress gives way to it."""
    text, terminal = record.getMessage(), is_terminal(sys.stdout)
    if getattr(record, messages.PASSING, False) and terminal:
      self._show(text)
      return
    if record.levelno < logging.INFO:
      return
    if terminal:
      self._show("")
    warned = record.levelno >= logging.WARNING
    stream = sys.stderr if warned else sys.stdout
    print(f"{_time_of_day()} {text}", file=stream, flush=True)

  def _show(self, text: str) -> None:
    """Replace the line of progress; an empty text takes it away."""
    columns = shutil.get_terminal_size().columns
    if text and columns >= _NARROW:
      text = f"{_time_of_day()} {text}"
    # A text in the last column would break the line.
    text = text[: columns - 1]
    if not text and not self._shown:
      return
    rest = " " * (self._shown - len(text))
    end = "" if text else "\r"
    print(f"\r{text}{rest}", end=end, file=sys.stdout, flush=True)
    self._shown = len(text)


def _time_of_day() -> str:
  return time.strftime("%H:%M:%S")


class _AbslNoise(logging.Filter):
  """Keeps from the screen what means nothing to a user.

  Orbax and TFDS warn through absl of their own affairs: folders that are not
  yet what they will be, metrics that are not given. The dataset's own warnings
  are passed on, and so is every error.
  """

  def filter(self, record: logging.LogRecord) -> bool:
    """Return whether a record passes."""
    if record.levelno >= logging.ERROR:
      return True
    if record.levelno >= logging.WARNING and _DATASET in record.pathname:
      messages.warn(f"note: {record.getMessage()}")
    return False


def quiet_libraries() -> None:
  """Keep from now on the noise of other libraries from the screen.

  Twice is as good as once. Importing the library does nothing of this.
  """
  logger = logging.getLogger("absl")
  if not any(isinstance(f, _AbslNoise) for f in logger.filters):
    logger.addFilter(_AbslNoise())
