"""The process of a command: its console and its environment."""

import errno
import functools
import io
import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from chexjax.commands.console_lines import (
  ConsoleHandler,
  is_terminal,
  quiet_libraries,
)
from chexjax.messages import LOGGER

IO_ERROR = 74  # EX_IOERR of sysexits.h
INTERRUPTED = 130  # as a shell says of SIGINT


def show_messages() -> None:
  """Show from now on what the library says; twice is as good as once."""
  if not any(isinstance(h, ConsoleHandler) for h in LOGGER.handlers):
    LOGGER.addHandler(ConsoleHandler())
  LOGGER.setLevel(logging.DEBUG if is_terminal(sys.stdout) else logging.INFO)
  # A handler of the root logger, such as absl's, would say all of it again.
  LOGGER.propagate = False


def set_up_process() -> None:
  """Show messages and no noise, and draw figures without a window.

  A notebook's `MPLBACKEND` names a module of the notebook's, which matplotlib
  looks for as soon as it is imported.
  """
  os.environ["MPLBACKEND"] = "Agg"
  show_messages()
  quiet_libraries()


def status_of(error: Exception) -> int:
  """Return the exit status of an error of the input or of the system.

  Args:
    error: what a command caught.

  Returns:
    74 where a disk is full or broken, else 2.
  """
  full = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
  return IO_ERROR if getattr(error, "errno", None) in full else 2


def _be_plain() -> None:
  """Let any text be written, whatever the terminal's encoding or absence.

  Names of files and findings need not be in the locale's alphabet. A process
  that was started with a closed output has none at all.
  """
  for name in ("stdout", "stderr"):
    stream = getattr(sys, name)
    if stream is None:
      stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
      setattr(sys, name, stream)
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors="backslashreplace")


def _leave_out_echoes() -> None:
  """Hide what comes past Python after a read or write that has failed.

  Threads of tensorstore call back into an event loop that Orbax has closed by
  then, and coroutines of Orbax that nobody awaits any more have failed too. The
  failure itself is raised, and said once.
  """
  shown = sys.unraisablehook
  if not isinstance(shown, functools.partial):
    sys.unraisablehook = functools.partial(_unless_echo, shown)


def _unless_echo(shown: Callable[[Any], Any], failed: Any) -> None:
  error = failed.exc_value
  closed = isinstance(error, RuntimeError) and str(error) == (
    "Event loop is closed"
  )
  files = [
    frame.f_code.co_filename
    for frame, _ in traceback.walk_tb(failed.exc_traceback)
  ]
  if not closed and not any("orbax" in file for file in files):
    shown(failed)


def run_command(main: Callable[[], int]) -> int:
  """Run a command; end it with a sentence where the system stops it.

  Args:
    main: of the command.

  Returns:
    Its exit status; 74 where a file could not be written or read, such as on a
    full disk; 130 after Ctrl-C. A reader that ends early, such as `head`, is no
    fault.
  """
  _be_plain()
  _leave_out_echoes()
  try:
    status = main()
    sys.stdout.flush()
    return status
  except BrokenPipeError:
    # Python would flush the closed pipe once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
  except KeyboardInterrupt:
    print("stopped; the same command does it again", file=sys.stderr)
    return INTERRUPTED
  except OSError as error:
    print(f"error: {error}", file=sys.stderr)
    return IO_ERROR
