"""Findings in columns of their own: 1, 0, -1 (uncertain) or empty."""

import collections
import math
from collections.abc import Callable
from typing import NamedTuple

from chexjax.data.columns import plain
from chexjax.data.label_cells import (
  NO_FINDING,
  is_none,
  name_fault,
  parse_label,
)
from chexjax.data.tables import Table

Labels = tuple[tuple[str, ...], tuple[str, ...], list[str]]
# Columns of published tables that say something else, whatever they hold.
_ABOUT = frozenset((
  "age", "sex", "gender", "patientage", "patientsex", "patientgender", "view",
  "viewposition", "appa", "frontallateral", "path", "study", "studyid",
  "studydate", "date", "followup", "height", "width", "radid", "reader",
  "target", "weight", "race", "ethnicity",
))  # fmt: skip
# CheXpert's labeller says `No Finding` of a film with a tube and nothing else.
_NO_DISEASE = ("supportdevices",)


class FindingColumns(NamedTuple):
  """The columns of a table that are findings.

  Attributes:
    table: name of the file.
    names: of the findings, in the table's order.
    not_read: names of the columns that are neither ours nor a finding.
    none: names of the columns that say that there is no finding.
    uncertain: number of cells that are -1.
    blank: number of empty cells.
  """

  table: str
  names: tuple[str, ...]
  not_read: tuple[str, ...]
  none: list[str]
  uncertain: int = 0
  blank: int = 0

  def notes(self, uncertain: str) -> list[str]:
    """Return what a person should know of the columns, as text.

    Args:
      uncertain: what -1 is taken for.
    """
    notes = []
    if self.names:
      notes.append(
        f"{self.table}: {len(self.names)} columns of 0 and 1 are findings: "
        + ", ".join(self.names)
      )
    if self.uncertain:
      taken = "not known" if uncertain == "ignore" else uncertain
      notes.append(
        f"{self.table}: {self.uncertain} labels are -1 (uncertain), taken as "
        f"{taken} (--uncertain={uncertain})"
      )
    if self.blank:
      notes.append(
        f"{self.table}: {self.blank} labels are empty: not known, and left "
        "out of losses and figures"
      )
    if self.not_read:
      notes.append(
        f"{self.table}: columns that are not read: {', '.join(self.not_read)}"
      )
    return notes


def find(
  table: Table, ours: tuple[str, ...], faults: list[str]
) -> FindingColumns:
  """Find the columns that are findings; a mixed one is a fault.

  Args:
    table: as read.
    ours: names of the columns that are something else.
    faults: list to which a text is appended for every fault.

  Returns:
    The columns.
  """
  names, not_read, none = [], [], []
  uncertain = blank = 0
  for place, name in enumerate(table.header):
    if name in ours:
      continue
    cells = collections.Counter(line.cells[place] for line in table.lines)
    values = {cell: parse_label(cell) for cell in cells}
    bad = [cell for cell, value in values.items() if value is None]
    good = [v for v in values.values() if v is not None and not math.isnan(v)]
    if plain(name) in _ABOUT or not good:
      not_read.append(name)
      continue
    if bad:
      first = next(x for x in table.lines if x.cells[place] in bad)
      faults.append(
        f"{table.name} line {first.number}: {name} is {first.cells[place]!r}, "
        "must be 1, 0, -1 (uncertain) or empty (not known); if the column is "
        "no finding, take it out"
      )
      # Its other cells are labels, of which boxes may be.
      names.append(name)
      continue
    if is_none(name):
      none.append(name)
      continue
    fault = name_fault(name, column=True)
    if fault:
      faults.append(f"{table.name}: column {fault}")
    names.append(name)
    for cell, count in cells.items():
      uncertain += count * (values[cell] == -1)
      blank += count * math.isnan(values[cell] or 0)
  return FindingColumns(
    table.name, tuple(names), tuple(not_read), none, uncertain, blank
  )


def reader(
  table: Table, columns: FindingColumns, uncertain: str
) -> Callable[[tuple[str, ...]], Labels]:
  """Return a function from a line's cells to its findings.

  It gives the findings that the film has, those that are not known, and what is
  wrong with the line. Where a column `No Finding` is 1, the empty cells of the
  line are 0.

  Args:
    table: as read.
    columns: of the table.
    uncertain: what -1 is: `ignore`, `positive` or `negative`.
  """
  places = [(name, table.column(name)) for name in columns.names]
  none = [table.column(name) for name in columns.none]
  meaning = {"ignore": math.nan, "positive": 1.0, "negative": 0.0}[uncertain]

  def read(cells: tuple[str, ...]) -> Labels:
    healthy = any(parse_label(cells[place]) == 1 for place in none)
    present, unknown, against = [], [], []
    for name, place in places:
      value = parse_label(cells[place])
      diseased = plain(name) not in _NO_DISEASE
      if value is None:  # Told once for the column.
        continue
      if healthy and diseased and math.isnan(value):
        value = 0.0
      if value == 1 and healthy and diseased:
        against.append(name)
      value = meaning if value == -1 else value
      if math.isnan(value):
        unknown.append(name)
      elif value:
        present.append(name)
    wrong = [f"{name} and {NO_FINDING} are both 1" for name in against]
    return tuple(present), tuple(unknown), wrong

  return read
