"""Readers of `labels.csv` and `boxes.csv`; faults are collected, not raised."""

import collections
import csv
import io
import math
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

_NO_FINDING = "No Finding"
_SPLITS = ("train", "validation", "test")
# Pixels by which a box may reach beyond its image, because tables are rounded.
_SLACK = 1.0


class Row(NamedTuple):
  """A line of labels.csv.

  Attributes:
    line: number of the line, from 1.
    file: path within the folder.
    findings: names.
    split: empty if the table has no such column.
    patient: the file if the table has no such column.
  """

  line: int
  file: str
  findings: tuple[str, ...]
  split: str
  patient: str


class Box(NamedTuple):
  """A true box, in the coordinates of TFDS.

  Attributes:
    finding: name.
    bbox: ymin, xmin, ymax, xmax as fractions of the image, 0..1.
  """

  finding: str
  bbox: tuple[float, float, float, float]


def read_rows(path: pathlib.Path, faults: list[str]) -> list[Row]:
  """Read labels.csv.

  Args:
    path: of the table.
    faults: list to which a text is appended for every fault.

  Returns:
    The rows, in the table's order; of a file that is there twice the first.

  Raises:
    FileNotFoundError: the file is missing.
  """
  if not path.is_file():
    raise FileNotFoundError(f"no {path}")
  rows: list[Row] = []
  seen: set[str] = set()
  for line, cells in _table(path, ("file", "findings"), faults):
    where = f"{path.name} line {line}"
    row = Row(
      line,
      cells["file"],
      _findings(cells["findings"]),
      cells.get("split", ""),
      cells.get("patient", cells["file"]),
    )
    faults.extend(f"{where}: {fault}" for fault in _row_faults(row, cells))
    if row.file in seen:
      faults.append(f"{where}: {row.file} is there twice; keep one line")
    else:
      rows.append(row)
    seen.add(row.file)
  if not faults:
    faults.extend(f"{path.name}: {fault}" for fault in _set_faults(rows))
  return rows


def read_boxes(
  path: pathlib.Path,
  rows: list[Row],
  sizes: dict[str, tuple[int, int]],
  faults: list[str],
) -> dict[str, list[Box]]:
  """Read boxes.csv, if there is one.

  Args:
    path: of the table.
    rows: of labels.csv.
    sizes: file -> width and height, of the images that can be read.
    faults: list to which a text is appended for every fault.

  Returns:
    File -> boxes, clipped to the image.
  """
  boxes: dict[str, list[Box]] = {}
  if not path.is_file():
    return boxes
  findings_of = {row.file: row.findings for row in rows}
  columns = ("file", "finding", "x", "y", "w", "h")
  for line, cells in _table(path, columns, faults):
    file, finding = cells["file"], cells["finding"]
    xywh = [_number(cells[name]) for name in "xywh"]
    fault = _label_fault(file, finding, findings_of)
    # For an image that cannot be read a fault has been reported already.
    if not fault and file in sizes:
      fault = _box_fault(xywh, sizes[file])
      if not fault:
        box = _to_box(finding, xywh, sizes[file])
        boxes.setdefault(file, []).append(box)
    if fault:
      faults.append(f"{path.name} line {line}: {fault}")
  return boxes


def _table(
  path: pathlib.Path, columns: tuple[str, ...], faults: list[str]
) -> Iterator[tuple[int, dict[str, str]]]:
  """Yield number and stripped cells of every line below the header."""
  try:
    # Universal newlines: a lone carriage return ends a line too.
    text = path.read_text(encoding="utf-8-sig")
  except UnicodeDecodeError as error:
    faults.append(f"{path.name} is no UTF-8 text: {error}")
    return
  reader = csv.reader(io.StringIO(text), strict=True)
  try:
    header = [cell.strip() for cell in next(reader, [])]
    missing = [name for name in columns if name not in header]
    if missing:
      faults.append(
        f"{path.name}: the header lacks {', '.join(missing)}; it is {header}"
      )
      return
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
      faults.append(f"{path.name}: columns that are there twice: {twice}")
      return
    for cells in reader:
      if not any(cell.strip() for cell in cells):
        continue
      if len(cells) != len(header):
        faults.append(
          f"{path.name} line {reader.line_num}: {len(cells)} fields, the "
          f"header has {len(header)}"
        )
        continue
      stripped = (cell.strip() for cell in cells)
      yield reader.line_num, dict(zip(header, stripped))
  except csv.Error as error:
    faults.append(f"{path.name} line {reader.line_num}: {error}")


def _findings(text: str) -> tuple[str, ...]:
  names = [name.strip() for name in text.split("|")]
  return tuple(name for name in names if name and name != _NO_FINDING)


def _row_faults(row: Row, cells: dict[str, str]) -> Iterator[str]:
  """Yield what is wrong with a row."""
  if not row.file:
    yield "file is empty"
  elif row.file != pathlib.PurePath(row.file).as_posix() or (
    pathlib.PurePath(row.file).is_absolute() or ".." in row.file.split("/")
  ):
    yield f"file {row.file!r} must be a plain path within the folder"
  if row.findings and _NO_FINDING in cells["findings"]:
    yield f"findings {cells['findings']!r} is both {_NO_FINDING} and a finding"
  if "split" in cells and row.split not in _SPLITS:
    yield f"split is {row.split!r}, must be one of {', '.join(_SPLITS)}"
  if not row.patient:
    yield "patient is empty"


def _set_faults(rows: list[Row]) -> Iterator[str]:
  """Yield what is wrong with the rows as a whole."""
  if not rows:
    yield "there is no line below the header"
    return
  findings = sorted({name for row in rows for name in row.findings})
  if not findings:
    yield "no line has a finding; there is nothing to learn"
  by_case = collections.defaultdict(list)
  for name in findings:
    by_case[name.casefold()].append(name)
  for names in by_case.values():
    if len(names) > 1:
      yield f"findings {names} differ in case alone; use one spelling"
  split_of = collections.defaultdict(set)
  for row in rows:
    split_of[row.patient].add(row.split)
  for patient, splits in split_of.items():
    if len(splits) > 1:
      yield f"patient {patient} is in {' and in '.join(sorted(splits))}"
  if not rows[0].split and len(split_of) < 3:
    yield f"{len(split_of)} patients cannot be divided into three splits"


def _label_fault(
  file: str, finding: str, findings_of: dict[str, tuple[str, ...]]
) -> str:
  """Return what is wrong with a box's file or finding, or an empty text."""
  if file not in findings_of:
    return f"{file} has no line in labels.csv"
  if finding not in findings_of[file]:
    has = "|".join(findings_of[file]) or _NO_FINDING
    return f"a box of {finding!r} on {file}, which is labelled {has}"
  return ""


def _box_fault(xywh: list[float], size: tuple[int, int]) -> str:
  """Return what is wrong with a box, an empty text if nothing."""
  x, y, w, h = xywh
  width, height = size
  if not all(map(math.isfinite, xywh)):
    return f"x, y, w, h are {xywh}, must be four numbers"
  if w <= 0 or h <= 0:
    return f"the box has width {w:g} and height {h:g}, must be above 0"
  if min(x, y) < -_SLACK or x + w > width + _SLACK or y + h > height + _SLACK:
    return f"the box {xywh} lies outside its image of {width} x {height}"
  return ""


def _to_box(finding: str, xywh: list[float], size: tuple[int, int]) -> Box:
  x, y, w, h = xywh
  width, height = size
  corners = y / height, x / width, (y + h) / height, (x + w) / width
  ymin, xmin, ymax, xmax = (min(max(value, 0.0), 1.0) for value in corners)
  return Box(finding, (ymin, xmin, ymax, xmax))


def _number(text: str) -> float:
  try:
    return float(text)
  except ValueError:
    return math.nan
