"""How a command ends when the system stops it: with a sentence and a status."""

import errno
import os
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


def is_full(error: Exception) -> bool:
  """Return whether an error says that there is no room on a disk."""
  full = (errno.ENOSPC, errno.EDQUOT)
  return isinstance(error, OSError) and error.errno in full
