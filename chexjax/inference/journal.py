"""Records as JSON lines, to which a program that was killed goes on to add.

A record is a line. Lines are appended whole; the one that a kill has cut is
taken off when the file is opened again.
"""

import json
import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from chexjax import messages


class Journal:
  """A file of records, open for appending.

  Attributes:
    path: of the file.
    files: `file` of the records that were there when it was opened.
  """

  def __init__(self, path: pathlib.Path):
    """Open or begin the file; take off what a kill has cut.

    Args:
      path: of the file; its folder is there.

    Raises:
      ValueError: a line in the midst of it is no record; names it.
    """
    self.path = path
    self._file = path.open("ab", buffering=0)
    self.files: set[str] = set()
    end = 0
    for record, after in _lines(path):
      self.files.add(record["file"])
      end = after
    if end < path.stat().st_size:
      messages.tell(f"{path}: its last line was cut and is written again")
      self._file.truncate(end)

  def append(self, records: Iterable[dict]) -> None:
    """Append records."""
    lines = [json.dumps(record, allow_nan=False) for record in records]
    text = "".join(f"{line}\n" for line in lines).encode()
    while text:
      text = text[self._file.write(text) :]

  def close(self) -> None:
    """Close the file once it is on the disk."""
    os.fsync(self._file.fileno())
    self._file.close()


def read_journal(path: pathlib.Path) -> Iterator[dict[str, Any]]:
  """Yield the records of a file, without a last line that is cut.

  Args:
    path: of JSON lines.

  Raises:
    ValueError: a line in the midst of it is no record; names it.
  """
  return (record for record, _ in _lines(path))


def _lines(path: pathlib.Path) -> Iterator[tuple[dict[str, Any], int]]:
  """Yield each record, and the position after its line."""
  end, fault = 0, None
  with path.open("rb") as file:
    for number, line in enumerate(file, 1):
      if fault is not None:
        raise ValueError(
          f"{path}, line {fault}: is no record of a film; remove this line, "
          "and its film is done again"
        )
      try:
        if not line.endswith(b"\n"):
          raise ValueError("it is cut")
        record = json.loads(line)
        record["file"]
      except (ValueError, KeyError, TypeError):
        fault = number
        continue
      end += len(line)
      yield record, end
