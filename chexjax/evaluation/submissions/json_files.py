"""`boxes.json` and `thresholds.json` of a submission."""

import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

from chexjax.evaluation.submissions.faults import Faults, near
from chexjax.evaluation.submissions.official_lists import FRAME, OfficialLists
from tfds_chestxray14.findings import FINDINGS
from tfds_chestxray14.folder import stem

_BOX_FIELDS = ("file", "finding", "x", "y", "w", "h", "score")
_SLACK = 1.0  # pixels of 1024 by which a box may leave the image: rounding
_Kind = TypeVar("_Kind", dict, list)

# An entry of `boxes.json`.
Entry = dict[str, Any]


def read_thresholds(
  path: pathlib.Path, faults: Faults
) -> dict[str, float] | None:
  """Read and check the score thresholds.

  Args:
    path: of the file.
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
  for name in found.keys() - set(FINDINGS):
    faults.add("thresholds.json: unknown findings", near(name))
  for name in FINDINGS:
    if not _is_number(found.get(name)):
      faults.add("thresholds.json: findings without a number", name)
  return found


def read_boxes(
  path: pathlib.Path, truth: OfficialLists, faults: Faults
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
  kept, unused = [], 0
  for number, row in enumerate(rows):
    if not _check_entry(row, f"entry {number}", faults):
      continue
    if truth.knows(str(row["file"]), "boxes.json", faults):
      boxed = stem(str(row["file"])) in truth.lists.boxes
      unused += not boxed
      kept += [row] if boxed else []
  return kept, unused


def _check_entry(row: Any, where: str, faults: Faults) -> bool:
  """Return whether an entry has all fields; add what is wrong with it."""
  if not isinstance(row, dict) or any(f not in row for f in _BOX_FIELDS):
    faults.add(f"boxes.json: entries without {', '.join(_BOX_FIELDS)}", where)
    return False
  where = f"{where} ({row['file']})"
  if row["finding"] not in FINDINGS:
    faults.add("boxes.json: unknown findings", near(str(row["finding"])))
    return False
  numbers = [row[f] for f in _BOX_FIELDS[2:]]
  if not all(map(_is_number, numbers)):
    faults.add("boxes.json: NaN, infinite or not a number", where)
    return False
  _check_box(numbers[:4], where, faults)
  return True


def _check_box(xywh: Sequence[float], where: str, faults: Faults) -> None:
  x, y, w, h = xywh
  if w <= 0 or h <= 0:
    faults.add("boxes.json: width or height not above 0", where)
  far = FRAME + _SLACK
  if min(x, y) < -_SLACK or x + w > far or y + h > far:
    faults.add(f"boxes.json: boxes off the image (0..{FRAME})", where)


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
