"""One process at a time builds what others would build too."""

import contextlib
import hashlib
import pathlib
from collections.abc import Iterator

from chexjax import io, messages


@contextlib.contextmanager
def turn(
  beside: pathlib.Path, what: pathlib.Path, *, work: str
) -> Iterator[None]:
  """Wait until no other process builds a thing, and hold it for the block.

  Whoever waited must look again: what it wanted may be there. The lock is in a
  hidden folder and not in the thing itself, which appears when it is complete.
  Two hosts that share a disk wait for each other as far as their file system
  has locks.

  Args:
    beside: folder whose `.locks` holds the lock.
    what: path that is built, or built from.
    work: what a process that holds the lock does, for the line that says why
      this one waits, such as `builds records`.
  """
  name = hashlib.sha256(str(what.resolve()).encode()).hexdigest()[:16]
  lock = beside / ".locks" / name
  with contextlib.ExitStack() as stack:
    try:
      stack.enter_context(io.held(lock))
    except BlockingIOError:
      messages.tell(f"another process {work}; this one waits for it")
      stack.enter_context(io.held(lock, wait=True))
    yield
