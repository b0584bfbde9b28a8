"""The console: where a command shows what the library says."""

import logging
import sys

from chexjax.messages import LOGGER


class ConsoleHandler(logging.Handler):
  """Writes to standard output, warnings to standard error."""

  def emit(self, record: logging.LogRecord) -> None:
    """Write one message; a progress line takes the place of the one before."""
    warned = record.levelno >= logging.WARNING
    stream = sys.stderr if warned else sys.stdout
    text, end = record.getMessage(), "\n"
    if getattr(record, "chexjax_progress", False):
      text = f"\r{text}"
      end = "\n" if getattr(record, "chexjax_last", True) else ""
    print(text, end=end, file=stream, flush=True)


def show_messages() -> None:
  """Show from now on what the library says; twice is as good as once."""
  if not any(isinstance(h, ConsoleHandler) for h in LOGGER.handlers):
    LOGGER.addHandler(ConsoleHandler())
  LOGGER.setLevel(logging.INFO)
  # A handler of the root logger, such as absl's, would say all of it again.
  LOGGER.propagate = False
