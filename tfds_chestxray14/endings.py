"""How a command ends when the system stops it: with a sentence and a status."""

import errno
import io
import os
import pathlib
import sys
from collections.abc import Callable

_FULL = 74  # EX_IOERR of sysexits.h
_INTERRUPTED = 130  # As a shell says of SIGINT.


def end_well(command: Callable[[], int]) -> int:
  """Run a command; return its exit code, whatever the system says.

  Args:
    command: Returns an exit code.

  Returns:
    The command's; 74 where the disk is full; 2 where a file or a folder cannot
    be read or written; 130 after Ctrl-C. A reader that ends early, such as
    `head`, is no fault.
  """
  _be_plain()
  try:
    status = command()
    sys.stdout.flush()
    return status
  except BrokenPipeError:
    # Python would flush the closed pipe once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
  except KeyboardInterrupt:
    print("stopped; the same command goes on", file=sys.stderr)
    return _INTERRUPTED
  except OSError as error:
    print(f"error: {error}", file=sys.stderr)
    return _FULL if is_full(error) else 2


def _be_plain() -> None:
  """Let any text be written, whatever the console's encoding or absence."""
  for name in ("stdout", "stderr"):
    stream = getattr(sys, name)
    if stream is None:
      stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
      setattr(sys, name, stream)
    if isinstance(stream, io.TextIOWrapper):
      stream.reconfigure(errors="backslashreplace")


def expand_home(path: str) -> pathlib.Path:
  """Return a path with `~` expanded.

  Raises:
    FileNotFoundError: The home folder is not known.
  """
  try:
    return pathlib.Path(path).expanduser()
  except RuntimeError as error:
    raise FileNotFoundError(
      f"{path}: the home folder is not known; set HOME, or give a path without "
      "~"
    ) from error


def is_full(error: Exception) -> bool:
  """Return whether an error says that there is no room on a disk."""
  full = (errno.ENOSPC, errno.EDQUOT)
  return isinstance(error, OSError) and error.errno in full
