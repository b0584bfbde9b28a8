"""`boxes.json` and `thresholds.json` of a submission."""

import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

from chexjax.evaluation.submissions.faults import Faults, near
from chexjax.evaluation.submissions.true_films import TrueFilms

_BOX_FIELDS = ("file", "finding", "x", "y", "w", "h", "score")
_SLACK = 1.0  # pixels by which a box may leave the image: rounding
_Kind = TypeVar("_Kind", dict, list)

# An entry of `boxes.json`.
Entry = dict[str, Any]


def read_thresholds(
  path: pathlib.Path, findings: Sequence[str], faults: Faults
) -> dict[str, float] | None:
  """Read and check the score thresholds, of all findings or of some.

  Args:
    path: of the file.
    findings: the names that there are.
    faults: gets what is wrong.

  Returns:
    Finding -> the score from which on it counts as predicted; None without
    the file, or where it cannot be read.
  """
  if not path.exists():
    return None
  found = _read_json(path, dict, faults)
  if found is None:
    return None
  for name, value in found.items():
    if name not in findings:
      faults.add("thresholds.json: unknown findings", near(name, findings))
    elif not _is_number(value):
      faults.add("thresholds.json: not a number", f"{name} {value!r}")
  return found


def read_boxes(
  path: pathlib.Path, truth: TrueFilms, faults: Faults
) -> tuple[list[Entry], int]:
  """Read and check the boxes.

  Args:
    path: of the file.
    truth: the images to score.
    faults: gets what is wrong.

  Returns:
    The entries on boxed images, and the number of entries on other images.
  """
  rows = _read_json(path, list, faults) or []
  boxed = set(truth.boxed())
  kept, unused = [], 0
  for number, row in enumerate(rows):
    where = f"entry {number}"
    if not _check_entry(row, where, truth.findings, faults):
      continue
    if truth.knows(str(row["file"]), "boxes.json", faults):
      key = truth.key(str(row["file"]))
      where = f"{where} ({row['file']})"
      _check_box([row[k] for k in "xywh"], truth.size(key), where, faults)
      unused += key not in boxed
      kept += [row] if key in boxed else []
  return kept, unused


def _check_entry(
  row: Any, where: str, findings: Sequence[str], faults: Faults
) -> bool:
  """Return whether an entry has all fields; add what is wrong with it."""
  if not isinstance(row, dict) or any(f not in row for f in _BOX_FIELDS):
    faults.add(f"boxes.json: entries without {', '.join(_BOX_FIELDS)}", where)
    return False
  where = f"{where} ({row['file']})"
  if row["finding"] not in findings:
    what = near(str(row["finding"]), findings)
    faults.add("boxes.json: unknown findings", what)
    return False
  numbers = [row[f] for f in _BOX_FIELDS[2:]]
  if not all(map(_is_number, numbers)):
    faults.add("boxes.json: NaN, infinite or not a number", where)
    return False
  return True


def _check_box(
  xywh: Sequence[float], size: tuple[int, int], where: str, faults: Faults
) -> None:
  x, y, w, h = xywh
  width, height = size
  if w <= 0 or h <= 0:
    faults.add("boxes.json: width or height not above 0", where)
  if min(x, y) < -_SLACK or x + w > width + _SLACK or y + h > height + _SLACK:
    what = f"{where} {[x, y, w, h]} on {width} x {height}"
    faults.add("boxes.json: boxes off the image", what)


def _read_json(
  path: pathlib.Path, kind: type[_Kind], faults: Faults
) -> _Kind | None:
  """Return the parsed file; None, and a fault, where it cannot be read."""
  try:
    value = json.loads(path.read_text(encoding="utf-8-sig"))
  except (ValueError, OSError, RecursionError) as error:
    faults.add(f"{path.name}: not JSON: {error}")
    return None
  if not isinstance(value, kind):
    faults.add(f"{path.name}: must hold a {kind.__name__}")
    return None
  return value


def _is_number(value: Any) -> bool:
  """Return whether a JSON value is a finite number."""
  # An integer of JSON may be too large to be finite as a float.
  return (
    isinstance(value, int | float)
    and not isinstance(value, bool)
    and abs(value) <= sys.float_info.max
  )
