"""Reading Data_Entry_2017.csv, BBox_List_2017.csv and the lists of names."""

import csv
import difflib
import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tfds_chestxray14 import findings
from tfds_chestxray14.faults import Faults
from tfds_chestxray14.folder import ListFile, stem
from tfds_chestxray14.frames import frame_fault

# Where a box reaches over the frame by less than this it is rounding, not a
# fault, and is clipped.
_SLACK = 1.0

# The largest integer that the dataset's features hold.
_MOST = 2**31 - 1

_ENTRY_COLUMNS = (
  "Image Index",
  "Finding Labels",
  "Follow-up #",
  "Patient ID",
  "Patient Age",
  "Patient Gender",
  "View Position",
)
# A later file on NIH's page, v2020 too, calls it so.
_COLUMN_ALIASES = {"Patient Sex": "Patient Gender"}
_BOX_COLUMNS = ("Image Index", "Finding Label", "x", "y", "w", "h")


class Entry(NamedTuple):
  """One row of Data_Entry_2017.csv."""

  file_name: str
  labels: tuple[str, ...]
  follow_up: int
  patient_id: int
  age: int
  sex: str
  view: str


class Box(NamedTuple):
  """A box as fractions of the image's height and width, origin top left."""

  label: str
  ymin: float
  xmin: float
  ymax: float
  xmax: float


def read_entries(file: ListFile, faults: Faults) -> dict[str, Entry]:
  """Return the rows of Data_Entry by image stem, 2017's or v2020's."""
  entries: dict[str, Entry] = {}
  for where, row in _rows(file, _ENTRY_COLUMNS, faults):
    name, labels, follow_up, patient, age, sex, view = row
    if stem(name) in entries:
      faults.append(f"{where}: {name} is there twice; keep one row")
    faults.extend(f"{where}, {name}: {fault}" for fault in _entry_faults(row))
    entries[stem(name)] = Entry(
      file_name=name,
      labels=tuple(x for x in _split_labels(labels) if x in findings.FINDINGS),
      follow_up=_integer(follow_up),
      patient_id=_integer(patient),
      age=_age(age),
      sex=sex,
      view=view,
    )
  if not entries and not faults:
    faults.append(f"{file.path} has no rows below its header")
  return entries


def read_boxes(
  file: ListFile, entries: dict[str, Entry], faults: Faults
) -> dict[str, list[Box]]:
  """Return the boxes by image stem; `Infiltrate` becomes `Infiltration`."""
  boxes: dict[str, list[Box]] = {}
  rows = [
    (where, row, [_number(text) for text in row[2:]])
    for where, row in _rows(file, _BOX_COLUMNS, faults)
  ]
  if fault := frame_fault([xywh for _, _, xywh in rows]):
    faults.append(f"{file.path}: {fault}")
    return {}
  for where, row, xywh in rows:
    name, label = row[0], findings.BOX_ALIASES.get(row[1], row[1])
    fault = _box_fault(label, xywh) or _box_entry_fault(
      label, stem(name), entries
    )
    if fault:
      faults.append(f"{where}, {name}: {fault}")
    else:
      boxes.setdefault(stem(name), []).append(_to_box(label, xywh))
  return boxes


def read_names(
  file: ListFile, entries: dict[str, Entry], faults: Faults
) -> list[str]:
  """Return the image stems of a list of names, one a line.

  What follows a name on its line (labels, in some lists) is not read.
  """
  stems = []
  seen = set()
  for number, line in enumerate(file.text.splitlines(), 1):
    if not line.strip():
      continue
    name = line.split()[0]
    where = f"{file.path.name} line {number}"
    if stem(name) in seen:
      faults.append(f"{where}: {name} is there twice; keep one")
    elif stem(name) not in entries:
      faults.append(
        f"{where}: {name} has no row in Data_Entry (column Image Index); "
        "use a list and a csv of the same set"
      )
    else:
      stems.append(stem(name))
    seen.add(stem(name))
  if not seen:
    faults.append(f"{file.path} names no image")
  return stems


def data_entry_version(file: ListFile) -> str:
  """Return `2017` or `v2020`, by the file's name, else by its header.

  2017's header ends in an empty column and says `Patient Gender`.
  """
  header = file.text.split("\n", 1)[0].strip()
  old = header.endswith(",") and "Patient Sex" not in header
  return "2017" if old and "v2020" not in file.path.name else "v2020"


def _rows(
  file: ListFile, columns: Sequence[str], faults: Faults
) -> Iterator[tuple[str, tuple[str, ...]]]:
  """Yield where a row stands and its fields in the order of `columns`."""
  # As the file has it: lone carriage returns end lines too.
  reader = csv.reader(io.StringIO(file.text, newline=None), strict=True)
  lines = _until_broken(reader, file, faults)
  # Fields such as OriginalImage[Width,Height] span two columns: the comma in
  # the brackets separates, so the header is as wide as the rows.
  header = [_column(cell) for cell in ",".join(next(lines, [])).split(",")]
  missing = [column for column in columns if column not in header]
  if missing:
    faults.append(
      f"{file.path}: the header lacks {', '.join(map(repr, missing))}; it has "
      f"{[cell for cell in header if cell]}. The first line must name the "
      "columns as NIH's file does (their order is free)"
    )
    return
  twice = [column for column in columns if header.count(column) > 1]
  if twice:
    faults.append(
      f"{file.path}: the header has {', '.join(map(repr, twice))} more than "
      "once; which is meant?"
    )
    return
  places = [header.index(column) for column in columns]
  for row in lines:
    where = f"{file.path.name} line {reader.line_num}"
    if not any(cell.strip() for cell in row):
      continue
    if len(row) <= max(places):
      faults.append(
        f"{where}: {len(row)} fields, need {max(places) + 1}: {row}"
      )
      continue
    yield where, tuple(row[place].strip() for place in places)


def _until_broken(
  reader: Any, file: ListFile, faults: Faults
) -> Iterator[list[str]]:
  """Yield the rows of a csv, up to the line that is none."""
  try:
    yield from reader
  except csv.Error as error:
    faults.append(
      f"{file.path.name} line {reader.line_num}: {error} (a quote that is not "
      "closed?); nothing after it was read"
    )


def _column(cell: str) -> str:
  """Return a header cell's name; `Bbox [x` and `h]` are `x` and `h`."""
  name = re.sub(r"^Bbox\s*\[\s*|\]$", "", cell.strip())
  return _COLUMN_ALIASES.get(name, name)


def _split_labels(text: str) -> list[str]:
  return [label.strip() for label in text.split("|")]


def _entry_faults(row: tuple[str, ...]) -> Iterator[str]:
  _, text, follow_up, patient, age, sex, view = row
  labels = _split_labels(text)
  for label in labels:
    if label not in (*findings.FINDINGS, findings.NO_FINDING):
      yield _unknown_label("Finding Labels", label)
  if findings.NO_FINDING in labels and len(labels) > 1:
    yield f"Finding Labels {text!r} is both {findings.NO_FINDING} and a finding"
  for field, value in (("Follow-up #", follow_up), ("Patient ID", patient)):
    if _integer(value) < 0:
      yield f"{field} is {value!r}, must be a whole number from 0"
  if _age(age) < 0:
    yield f"Patient Age is {age!r}, must be years (58, or 058Y, 011M, 021D)"
  if sex not in findings.SEXES:
    yield f"Patient Gender is {sex!r}, must be one of {findings.SEXES}"
  if view not in findings.VIEWS:
    yield f"View Position is {view!r}, must be one of {findings.VIEWS}"


def _box_fault(label: str, xywh: list[float]) -> str:
  x, y, w, h = xywh
  if label not in findings.FINDINGS:
    return _unknown_label("Finding Label", label)
  if not all(map(math.isfinite, xywh)):
    return f"Bbox [x,y,w,h] is {xywh}, must be four numbers"
  if w <= 0 or h <= 0:
    return f"Bbox has width {w:g} and height {h:g}, must be above 0"
  far = findings.BOX_FRAME + _SLACK
  if min(x, y) < -_SLACK or x + w > far or y + h > far:
    return (
      f"Bbox [x,y,w,h] {xywh} lies outside 0..{findings.BOX_FRAME:g}; boxes "
      "are in the 1024x1024 frame whatever the size of the images"
    )
  box = _to_box(label, xywh)
  if box.ymin >= box.ymax or box.xmin >= box.xmax:
    return f"Bbox [x,y,w,h] {xywh} has no area inside the image"
  return ""


def _box_entry_fault(label: str, key: str, entries: dict[str, Entry]) -> str:
  if key not in entries:
    return "the box's image has no row in Data_Entry (column Image Index)"
  labels = entries[key].labels
  if label not in labels:
    there = "|".join(labels) or findings.NO_FINDING
    return f"a box of {label}, but Data_Entry's Finding Labels are {there}"
  return ""


def _unknown_label(field: str, label: str) -> str:
  close = difflib.get_close_matches(label, findings.FINDINGS, 1)
  hint = f"; did you mean {close[0]!r}?" if close else ""
  return f"{field} {label!r} is not one of {', '.join(findings.FINDINGS)}{hint}"


def _to_box(label: str, xywh: list[float]) -> Box:
  x, y, w, h = (value / findings.BOX_FRAME for value in xywh)
  ymin, xmin, ymax, xmax = (min(max(v, 0.0), 1.0) for v in (y, x, y + h, x + w))
  return Box(label, ymin, xmin, ymax, xmax)


def _number(text: str) -> float:
  try:
    return float(text)
  except ValueError:
    return math.nan


def _integer(text: str) -> int:
  """Return a whole number from 0, or -1 where the text is none."""
  value = _number(text)
  return int(value) if 0 <= value <= _MOST and value.is_integer() else -1


def _age(text: str) -> int:
  """Return whole years, -1 where the text is no age; `011M` is 0 years."""
  match = re.fullmatch(r"([0-9]{1,5})([YMD]?)", text)
  if not match:
    return -1
  return int(match[1]) // {"": 1, "Y": 1, "M": 12, "D": 365}[match[2]]
