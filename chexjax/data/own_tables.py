"""Reader of `labels.csv`; faults are collected, not raised.

  file,findings[,split][,patient]     findings separated by `|`
  file,Mass,Nodule,...[,split]...     1, 0, -1 (uncertain), empty (not known)

Without a column `findings`, every column that holds these numbers alone is a
finding.
"""

import collections
import dataclasses
import difflib
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from chexjax.data import label_columns
from chexjax.data.columns import column_faults
from chexjax.data.folders import is_clutter
from chexjax.data.label_cells import (
  NO_FINDING,
  UNCERTAIN,
  parse_findings,
  parse_label,
)
from chexjax.data.own_boxes import Box, read_boxes
from chexjax.data.tables import Table, read_table

__all__ = ["Box", "Labels", "Row", "read_boxes", "read_rows"]

SPLITS = ("train", "validation", "test")
_WORDS = {
  "train": ("train", "training", "trn", "tr"),
  "validation": ("validation", "valid", "val", "dev"),
  "test": ("test", "testing", "tst", "te"),
}
_OPTIONAL = ("findings", "split", "patient")


class Row(NamedTuple):
  """A line of labels.csv.

  Attributes:
    line: number of the line, from 1.
    file: path within the folder.
    findings: names of those that the film has.
    split: empty if the table has no such column.
    patient: the file if the table has no such column.
    unknown: names of the findings that the film may have or not.
  """

  line: int
  file: str
  findings: tuple[str, ...]
  split: str
  patient: str
  unknown: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Labels:
  """The rows of labels.csv, in its order; of a file that is there twice one.

  Attributes:
    rows: as read.
    findings: names of the classes, sorted.
    notes: what a person should know of the table, as text.
    doubted: files whose labels are at fault.
  """

  rows: list[Row]
  findings: tuple[str, ...]
  notes: list[str]
  doubted: set[str] = dataclasses.field(default_factory=set)

  def __len__(self) -> int:
    """Return the number of rows."""
    return len(self.rows)

  def __iter__(self) -> Iterator[Row]:
    """Iterate over the rows."""
    return iter(self.rows)


def read_rows(
  path: pathlib.Path, faults: list[str], *, uncertain: str = "ignore"
) -> Labels:
  """Read labels.csv.

  Args:
    path: of the table.
    faults: list to which a text is appended for every fault.
    uncertain: what -1 in a finding's column is: `ignore` (not known),
      `positive` or `negative`.

  Returns:
    The labels; without a row where the header is at fault.

  Raises:
    FileNotFoundError: the file is missing.
    ValueError: `uncertain` is another word.
  """
  if uncertain not in UNCERTAIN:
    raise ValueError(f"uncertain must be one of {UNCERTAIN}, got {uncertain!r}")
  if not path.is_file():
    raise FileNotFoundError(f"no {path}")
  before = len(faults)
  table = read_table(path, faults)
  if table is None:
    return Labels([], (), [])
  columns = _find_columns(table, faults)
  if columns is None:
    return Labels([], (), [])
  notes = [*table.notes, *columns.notes(uncertain)]
  doubted: set[str] = set()
  rows = _rows(table, columns, uncertain, faults, notes, doubted)
  names = {n for row in rows for n in (*row.findings, *row.unknown)}
  findings = tuple(sorted(names | set(columns.names)))
  if len(faults) == before:
    faults.extend(f"{path.name}: {f}" for f in _set_faults(rows, findings))
  notes.extend(f"{path.name}: {note}" for note in _likely_slips(rows))
  return Labels(rows, findings, notes, doubted)


def _find_columns(
  table: Table, faults: list[str]
) -> label_columns.FindingColumns | None:
  """Return the findings' own columns, none beside a column `findings`."""
  listed = "findings" in table.header
  # A finding may be named much like a column of ours.
  found = column_faults(
    table.header, ["file"], optional=_OPTIONAL, slips=listed
  )
  columns = label_columns.FindingColumns(table.name, (), (), [])
  if not found and not listed:
    columns = label_columns.find(table, ("file", *_OPTIONAL), faults)
    if not columns.names:
      found = [
        "the header lacks findings, and no column holds 0 and 1 alone; it is "
        f"{list(table.header)}"
      ]
  elif not found:
    others = [n for n in table.header if n not in ("file", *_OPTIONAL)]
    columns = columns._replace(not_read=tuple(others))
  faults.extend(f"{table.name}: {fault}" for fault in found)
  return None if found else columns


def _rows(
  table: Table,
  columns: label_columns.FindingColumns,
  uncertain: str,
  faults: list[str],
  notes: list[str],
  doubted: set[str],
) -> list[Row]:
  """Read the lines below the header."""
  places = {name: table.column(name) for name in ("file", *_OPTIONAL)}
  labels_of = _labels_reader(table, columns, uncertain)
  own_columns = [table.column(name) for name in columns.names]
  rows: list[Row] = []
  seen: set[str] = set()
  clutter = 0
  for number, cells in table.lines:
    file = cells[places["file"]]
    if file and is_clutter(pathlib.PurePosixPath(file)):
      clutter += 1
      continue
    findings, unknown, wrong = labels_of(cells)
    if wrong or any(parse_label(cells[p]) is None for p in own_columns):
      doubted.add(file)
    split = cells[places["split"]] if places["split"] >= 0 else ""
    own = cells[places["patient"]] if places["patient"] >= 0 else file
    row = Row(number, file, findings, split, own, unknown)
    wrong += _row_faults(row, split_given=places["split"] >= 0)
    if file in seen:
      wrong.append(f"{file} is there twice; keep one line")
    else:
      rows.append(row)
    seen.add(file)
    faults.extend(f"{table.name} line {number}: {fault}" for fault in wrong)
  if clutter:
    notes.append(
      f"{table.name}: {clutter} lines of hidden and system files are ignored"
    )
  return rows


def _labels_reader(
  table: Table, columns: label_columns.FindingColumns, uncertain: str
) -> Callable[
  [tuple[str, ...]], tuple[tuple[str, ...], tuple[str, ...], list[str]]
]:
  """Return a function from cells to findings, unknown ones and faults."""
  if columns.names:
    return label_columns.reader(table, columns, uncertain)
  place = table.column("findings")

  def read(
    cells: tuple[str, ...],
  ) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    cell = parse_findings(cells[place])
    return cell.findings, (), [cell.fault] if cell.fault else []

  return read


def _row_faults(row: Row, *, split_given: bool) -> list[str]:
  """Return what is wrong with a row, findings aside."""
  found = []
  path = pathlib.PurePosixPath(row.file)
  if not row.file:
    found.append("file is empty")
  elif "\\" in row.file:
    found.append(f"file {row.file!r}: write / between folders, not \\")
  elif row.file != path.as_posix() or path.is_absolute() or ".." in path.parts:
    found.append(f"file {row.file!r} must be a plain path within the folder")
  if split_given and row.split not in SPLITS:
    hint = meant_split(row.split)
    hint = f"; did you mean {hint}?" if hint else ""
    found.append(
      f"split is {row.split!r}, must be one of {', '.join(SPLITS)}{hint}"
    )
  if not row.patient:
    found.append("patient is empty")
  return found


def meant_split(word: str) -> str:
  """Return which split a word means, such as `val`; empty if none."""
  word = word.casefold()
  return next((name for name, words in _WORDS.items() if word in words), "")


def spelt_alike(findings: Iterable[str]) -> list[list[str]]:
  """Return groups of names that differ in case, spaces, _ or - alone."""
  alike = collections.defaultdict(list)
  for name in findings:
    alike[re.sub(r"[\s_-]+", "", name.casefold()) or name].append(name)
  return [names for names in alike.values() if len(names) > 1]


def _likely_slips(rows: list[Row]) -> Iterator[str]:
  """Yield which rare findings are spelt almost as one ten times as frequent."""
  films = collections.Counter(name for row in rows for name in row.findings)
  for name, count in sorted(films.items()):
    frequent = [other for other in films if films[other] >= 10 * count]
    for other in difflib.get_close_matches(name, frequent, 1, 0.85):
      yield (
        f"{name} ({count} of the films) is a finding of its own, and spelt "
        f"almost as {other} ({films[other]}); correct it if that is meant"
      )


def _set_faults(rows: list[Row], findings: tuple[str, ...]) -> Iterator[str]:
  """Yield what is wrong with the rows as a whole."""
  if not rows:
    yield "there is no line below the header"
    return
  if not any(row.findings for row in rows):
    yield f"no line has a finding; all are {NO_FINDING}, nothing can be learned"
  for names in spelt_alike(findings):
    yield (
      f"findings {names} differ in case, spaces, _ or - alone; use one spelling"
    )
  split_of = collections.defaultdict(set)
  for row in rows:
    split_of[row.patient].add(row.split)
  for patient, splits in split_of.items():
    if len(splits) > 1:
      yield f"patient {patient} is in {' and in '.join(sorted(splits))}"
  if not rows[0].split and len(split_of) < 3:
    yield f"{len(split_of)} patients cannot be divided into three splits"
