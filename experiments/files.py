"""Files that are there whole or not at all."""

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Gives a scratch file that takes the place of `path` if all goes well."""
  scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
  try:
    yield scratch
    os.replace(scratch, path)
  finally:
    scratch.unlink(missing_ok=True)
