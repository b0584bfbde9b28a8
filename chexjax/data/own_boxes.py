"""Reader of `boxes.csv`; faults are collected, not raised.

  file,finding,x,y,w,h
  file,finding,x1,y1,x2,y2                     or xmin,ymin,xmax,ymax
  file,finding,x_center,y_center,width,height  fractions, 0..1

Pixels are those of the film as viewers and annotation tools show it, which
means turned as its EXIF orientation says. Columns `rad_id` and `Target` are
read too.
"""

import difflib
import math
import pathlib
from collections.abc import Collection, Iterable
from typing import NamedTuple, Protocol

import numpy as np

from chexjax.data import box_columns
from chexjax.data.columns import column_faults, plain
from chexjax.data.label_cells import NO_FINDING, is_none
from chexjax.data.tables import Table, read_table

_READERS = ("radid", "reader", "readerid", "radiologist")


class Box(NamedTuple):
  """A true box, in the coordinates of TFDS.

  Attributes:
    finding: name.
    bbox: ymin, xmin, ymax, xmax as fractions of the film, 0..1.
  """

  finding: str
  bbox: tuple[float, float, float, float]


class Labelled(Protocol):
  """What is read of a row of labels.csv."""

  @property
  def file(self) -> str:
    """Path within the folder."""

  @property
  def findings(self) -> tuple[str, ...]:
    """Names of the findings that the film has."""


class _Labelled(NamedTuple):
  """What labels.csv says of the films.

  Attributes:
    findings_of: file -> names of the findings that the film has.
    names: of all findings that a film has.
    doubted: files whose labels are at fault.
  """

  findings_of: dict[str, tuple[str, ...]]
  names: set[str]
  doubted: set[str]


class _Line(NamedTuple):
  """A line with a box that belongs to a readable film."""

  number: int
  file: str
  finding: str
  numbers: tuple[float, ...]
  size: tuple[int, int]


def read_boxes(
  path: pathlib.Path,
  rows: Iterable[Labelled],
  sizes: dict[str, tuple[int, int]],
  faults: list[str],
  *,
  doubted: Collection[str] = (),
  notes: list[str] | None = None,
) -> dict[str, list[Box]]:
  """Read boxes.csv, if there is one.

  Args:
    path: of the table.
    rows: of labels.csv.
    sizes: file -> width and height as shown, of the films that can be read.
    faults: list to which a text is appended for every fault.
    doubted: films whose labels are at fault; that a box's finding is not among
      them says nothing.
    notes: list to which a text is appended for what a person should know.

  Returns:
    File -> boxes, clipped to the film.
  """
  if not path.is_file():
    return {}
  table = read_table(path, faults)
  if table is None:
    return {}
  found = box_columns.find_form(table.header)
  wrong = _header_faults(table, found)
  if isinstance(found, str) or wrong:
    faults.extend(f"{path.name}: {fault}" for fault in wrong)
    return {}
  form, places = found
  told = [*table.notes]
  findings_of = {row.file: row.findings for row in rows}
  labelled = _Labelled(
    findings_of,
    {name for own in findings_of.values() for name in own},
    set(doubted),
  )
  lines = _lines(table, places, labelled, sizes, faults, told)
  boxes, doubled = _boxes(path.name, form, lines, faults)
  if doubled:
    told.append(f"{path.name}: {doubled} boxes that are there twice are one")
  count = sum(map(len, boxes.values()))
  if count:
    told.append(f"{path.name}: {count} boxes, read as {form.said}")
  if notes is not None:
    notes += told
  return boxes


def _header_faults(table: Table, found: object) -> list[str]:
  # One finding needs no column where Target says who has it.
  need = ["file"] if _place(table, ("target",)) >= 0 else ["file", "finding"]
  wrong = column_faults(table.header, need, optional=["finding"])
  return [*wrong, found] if isinstance(found, str) else wrong


def _place(table: Table, names: tuple[str, ...]) -> int:
  """Return the place of the first column with one of these plain names."""
  places = [i for i, name in enumerate(table.header) if plain(name) in names]
  return places[0] if places else -1


def _lines(
  table: Table,
  places: list[int],
  labelled: _Labelled,
  sizes: dict[str, tuple[int, int]],
  faults: list[str],
  notes: list[str],
) -> list[_Line]:
  """Return the lines with a box; name those at fault, count the others."""
  file_at, finding_at = table.column("file"), table.column("finding")
  target_at, reader_at = _place(table, ("target",)), _place(table, _READERS)
  only = next(iter(labelled.names)) if len(labelled.names) == 1 else ""
  lines: list[_Line] = []
  readers: set[str] = set()
  without = 0
  for number, cells in table.lines:
    file = cells[file_at]
    finding = cells[finding_at] if finding_at >= 0 else only
    numbers = [cells[place] for place in places]
    absent = target_at >= 0 and cells[target_at] in ("0", "0.0")
    if absent or (finding_at >= 0 and is_none(finding)):
      fault = _empty_fault(numbers, absent=absent, finding=finding)
      without += not fault
    else:
      fault = _label_fault(file, finding, labelled)
      fault = fault or _number_fault(numbers, [table.header[p] for p in places])
      # For a film that cannot be read a fault has been reported already.
      if not fault and file in sizes:
        four = tuple(map(float, numbers))
        lines.append(_Line(number, file, finding, four, sizes[file]))
        readers.add(cells[reader_at] if reader_at >= 0 else "")
    if fault:
      faults.append(f"{table.name} line {number}: {fault}")
  if without:
    notes.append(f"{table.name}: {without} lines are films without a finding")
  if len(readers) > 1:
    notes.append(
      f"{table.name}: the boxes of {len(readers)} readers "
      f"({table.header[reader_at]}) are all kept"
    )
  return lines


def _boxes(
  name: str,
  form: box_columns.Form,
  lines: list[_Line],
  faults: list[str],
) -> tuple[dict[str, list[Box]], int]:
  """Return file -> boxes, and how many were there twice."""
  numbers = np.array([line.numbers for line in lines]).reshape(-1, 4)
  sizes = np.array([line.size for line in lines], float).reshape(-1, 2)
  fault = box_columns.frame_fault(numbers, sizes, form)
  if fault:
    faults.append(f"{name}: {fault}")
    return {}, 0
  boxes: dict[str, list[Box]] = {}
  doubled = 0
  corners = box_columns.to_corners(numbers, sizes, form).tolist()
  for line, box in zip(lines, corners):
    fault = _box_fault(line, box)
    if fault:
      faults.append(f"{name} line {line.number}: {fault}")
      continue
    new = _fractions(line.finding, box, line.size)
    own = boxes.setdefault(line.file, [])
    doubled += new in own
    if new not in own:
      own.append(new)
  return boxes, doubled


def _empty_fault(numbers: list[str], *, absent: bool, finding: str) -> str:
  """Return a fault if a film without a finding has a box all the same."""
  # Some tables write a box of one pixel, 0,0,1,1, in place of none.
  if absent and any(numbers):
    return f"Target is 0, but the box is {numbers}"
  if not absent and not finding and any(numbers):
    return f"the box {numbers} has no finding"
  return ""


def _label_fault(file: str, finding: str, labelled: _Labelled) -> str:
  """Return what is wrong with a box's file or finding, or an empty text."""
  if file not in labelled.findings_of:
    return f"{file} has no line in labels.csv"
  if not finding:
    return "the header lacks finding, and labels.csv has more than one"
  has = labelled.findings_of[file]
  if finding in has or file in labelled.doubted:
    return ""
  if finding not in labelled.names:
    near = difflib.get_close_matches(finding, labelled.names, 1, 0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no line of labels.csv has the finding {finding!r}{hint}"
  has_said = "|".join(has) or NO_FINDING
  return f"a box of {finding!r} on {file}, which is labelled {has_said}"


def _number_fault(numbers: list[str], names: list[str]) -> str:
  if all(math.isfinite(_number(text)) for text in numbers):
    return ""
  hint = "; write 1.5, not 1,5" if any("," in text for text in numbers) else ""
  return f"{', '.join(names)} are {numbers}, must be four numbers{hint}"


def _number(text: str) -> float:
  try:
    return float(text)
  except ValueError:
    return math.nan


def _box_fault(line: _Line, box: list[float]) -> str:
  """Return what is wrong with a box, an empty text if nothing."""
  x1, y1, x2, y2 = box
  width, height = line.size
  slack = box_columns.SLACK
  if x2 <= x1 or y2 <= y1:
    return (
      f"the box has width {x2 - x1:g} and height {y2 - y1:g}, must be above 0"
    )
  if min(x1, y1) < -slack or x2 > width + slack or y2 > height + slack:
    return (
      f"the box {list(line.numbers)} lies outside its image of {width} x "
      f"{height}"
    )
  if min(x2, width) <= max(x1, 0) or min(y2, height) <= max(y1, 0):
    return f"the box {list(line.numbers)} has no area within its image"
  return ""


def _fractions(
  finding: str, corners: list[float], size: tuple[int, int]
) -> Box:
  width, height = size
  x1, y1, x2, y2 = corners
  fractions = y1 / height, x1 / width, y2 / height, x2 / width
  ymin, xmin, ymax, xmax = (min(max(value, 0.0), 1.0) for value in fractions)
  return Box(finding, (ymin, xmin, ymax, xmax))
