"""A folder of results belongs to one evaluation at a time."""

import contextlib
import pathlib
from collections.abc import Iterator

from chexjax import io


@contextlib.contextmanager
def own_results(folder: pathlib.Path) -> Iterator[None]:
  """Hold a folder for the results of one evaluation while the block runs.

  Two that wrote to it would leave the tables of one beside the pictures of the
  other. The lock is not the folder's own: a run holds that, and then scores.

  Args:
    folder: of the results; it is made if it is not there.

  Raises:
    BlockingIOError: another process writes its results there.
  """
  with contextlib.ExitStack() as stack:
    try:
      stack.enter_context(io.held(folder / ".scoring"))
    except BlockingIOError as error:
      raise BlockingIOError(
        f"another evaluation writes its results to {folder}; wait for it, or "
        "give another folder"
      ) from error
    yield
