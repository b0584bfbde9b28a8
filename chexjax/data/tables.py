"""Delimited text as people save it: commas, semicolons or tabs, any BOM."""

import csv
import io
import pathlib
import re
import sys
from typing import NamedTuple

from chexjax.io import decode_table

# What pandas writes above a nameless index.
_NAMELESS = re.compile(r"(Unnamed: \d+)?")


class Line(NamedTuple):
  """A line below the header.

  Attributes:
    number: of the line in the file, from 1.
    cells: stripped, one for every column of the header.
  """

  number: int
  cells: tuple[str, ...]


class Table(NamedTuple):
  """A table, without the columns that have no name.

  Attributes:
    name: of the file.
    header: names of the columns.
    lines: those that hold anything.
    notes: what was left out, as text.
  """

  name: str
  header: tuple[str, ...]
  lines: list[Line]
  notes: list[str]

  def column(self, name: str) -> int:
    """Return a column's place, -1 if the table has no such column."""
    return self.header.index(name) if name in self.header else -1


def read_table(path: pathlib.Path, faults: list[str]) -> Table | None:
  """Read a table; its separator is the one that is most frequent in line 1.

  Args:
    path: of the file: UTF-8, or UTF-16 with a byte order mark.
    faults: list to which a text is appended for every fault.

  Returns:
    The table, None if not even its header can be read.
  """
  found = _text(path, faults)
  if found is None:
    return None
  text, separator = found
  reader = csv.reader(io.StringIO(text), strict=True, delimiter=separator)
  rows: list[tuple[int, list[str]]] = []
  try:
    header = [cell.strip() for cell in next(reader, [])]
    for cells in reader:
      if any(cell.strip() for cell in cells):
        # The same few short texts fill most of a large table.
        rows.append((reader.line_num, [sys.intern(c.strip()) for c in cells]))
  except csv.Error as error:
    faults.append(f"{path.name} line {reader.line_num}: {error}")
    return None
  lines = _lines(path.name, header, rows, faults)
  return _without_nameless(path.name, header, lines)


def _text(path: pathlib.Path, faults: list[str]) -> tuple[str, str] | None:
  try:
    data = path.read_bytes()
  except OSError as error:
    faults.append(f"{path.name} cannot be read: {error.strerror or error}")
    return None
  try:
    return decode_table(data)
  except UnicodeDecodeError as error:
    faults.append(f"{path.name} is no UTF-8 text: {error}; save it as UTF-8")
    return None


def _lines(
  name: str,
  header: list[str],
  rows: list[tuple[int, list[str]]],
  faults: list[str],
) -> list[Line]:
  """Return the rows that have the header's length."""
  lines = []
  for number, cells in rows:
    # Spreadsheets add empty cells on the right.
    while len(cells) > len(header) and not cells[-1]:
      cells.pop()
    if len(cells) == len(header):
      lines.append(Line(number, tuple(cells)))
      continue
    faults.append(
      f"{name} line {number}: {len(cells)} fields, the header has {len(header)}"
    )
  return lines


def _without_nameless(name: str, header: list[str], lines: list[Line]) -> Table:
  """Leave out columns without a name: an index, or a spreadsheet's margin."""
  named = [i for i, cell in enumerate(header) if not _NAMELESS.fullmatch(cell)]
  if len(named) == len(header):
    return Table(name, tuple(header), lines, [])
  others = set(range(len(header))) - set(named)
  full = sum(any(line.cells[i] for line in lines) for i in others)
  notes = [f"{name}: {full} column(s) without a name are ignored"] * bool(full)
  kept = [Line(n, tuple(cells[i] for i in named)) for n, cells in lines]
  return Table(name, tuple(header[i] for i in named), kept, notes)
