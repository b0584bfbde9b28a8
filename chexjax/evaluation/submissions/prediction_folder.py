"""Anybody's predictions: a folder with scores, and heat maps or boxes.

`scores.csv`: column `file` and one per finding, probabilities, any order.
Then either `*.npz` (in the folder or in `maps/`), one per boxed image, named
after it, with `findings` `[K]` and maps `[K, h, w]`: `sal`, `det`, `mix`, or a
single one of any name; or `boxes.json`, a list of objects with `file`,
`finding`, `x`, `y`, `w`, `h` (1024 frame), `score`. `thresholds.json`
(finding -> score) may say from which score on a finding counts as predicted.
"""

import csv
import io
import json
import math
import pathlib
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from chexjax import messages
from chexjax.evaluation.measures.average_precision import Detections
from chexjax.evaluation.submissions import map_files
from chexjax.evaluation.submissions.faults import Faults, near
from chexjax.evaluation.submissions.official_lists import FRAME, OfficialLists
from tfds_chestxray14.findings import FINDINGS
from tfds_chestxray14.folder import stem

_BOX_FIELDS = ("file", "finding", "x", "y", "w", "h", "score")
_SLACK = 1.0  # pixels of 1024 by which a box may leave the image: rounding


class Submission(NamedTuple):
  """What a folder holds, checked.

  Attributes:
    folder: where.
    scores: `[N, 14]` float64, in the order of the lists' keys and `FINDINGS`.
    thresholds: finding -> score, or None.
    maps: stem of each boxed image -> its `.npz`; empty without maps.
    map_names: names of the maps.
    boxes: rows of `boxes.json` of images to score; None without.
    unused: number of map files of images without boxes, and of boxes on them.
  """

  folder: pathlib.Path
  scores: np.ndarray
  thresholds: dict[str, float] | None
  maps: dict[str, pathlib.Path]
  map_names: tuple[str, ...]
  boxes: list[dict] | None
  unused: int

  def maps_or_boxes(
    self,
  ) -> Detections | Iterator[tuple[str, str, dict[str, np.ndarray]]] | None:
    """Return what `evaluate` takes: boxes, or a stream of the maps, or None."""
    if self.maps:
      return self._stream()
    if self.boxes is None:
      return None
    xywh = np.array([[row[k] for k in "xywh"] for row in self.boxes], float)
    xywh = xywh.reshape(-1, 4)
    corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
    return Detections(
      np.array([stem(row["file"]) for row in self.boxes], str),
      np.array([row["finding"] for row in self.boxes], str),
      np.clip(corners, 0, FRAME),
      np.array([row["score"] for row in self.boxes], float),
    )

  def _stream(self):
    for number, (key, path) in enumerate(self.maps.items(), 1):
      for finding, maps in map_files.load(path):
        yield key, finding, maps
      last = number == len(self.maps)
      if last or number % 20 == 0:
        messages.progress(f"scored {number}/{len(self.maps)} images", last=last)


def read_submission(
  folder: pathlib.Path, truth: OfficialLists, faults: Faults
) -> Submission:
  """Reads and checks a folder; what is wrong is added to `faults`."""
  scores = _read_scores(folder / "scores.csv", truth, faults)
  thresholds = _read_thresholds(folder / "thresholds.json", faults)
  places = [*folder.glob("*.npz"), *(folder / "maps").glob("*.npz")]
  files = {stem(path.name): path for path in sorted(places)}
  boxes, unused = None, 0
  if (folder / "boxes.json").exists():
    if files:
      faults.add("both boxes.json and *.npz: give one of them")
    boxes, unused = _read_boxes(folder / "boxes.json", truth, faults)
    return Submission(folder, scores, thresholds, {}, (), boxes, unused)
  names: tuple[str, ...] = ()
  if files:
    files, unused = map_files.match(files, truth, faults)
    names = map_files.check_all(files, faults)
  return Submission(folder, scores, thresholds, files, names, boxes, unused)


def _columns(header: list[str], faults: Faults) -> list[int]:
  """Returns the column of each finding; -1 where there is none."""
  if "file" not in header:
    faults.add("scores.csv: the header lacks the column 'file'")
  for name in header:
    if name != "file" and name not in FINDINGS:
      faults.add("scores.csv: unknown findings in the header", near(name))
    if header.count(name) > 1:
      faults.add("scores.csv: columns that are there twice", name)
  for name in FINDINGS:
    if name not in header:
      faults.add("scores.csv: findings without a column", name)
  return [header.index(n) if n in header else -1 for n in FINDINGS]


def _read_scores(
  path: pathlib.Path, truth: OfficialLists, faults: Faults
) -> np.ndarray:
  """Returns `[N, 14]` in the order of the truth; NaN where faulty."""
  scores = np.full((len(truth.keys), len(FINDINGS)), np.nan)
  if not path.exists():
    faults.add(f"no {path.name}")
    return scores
  try:
    text = path.read_text(encoding="utf-8-sig")
  except UnicodeDecodeError as error:
    faults.add(f"{path.name}: no UTF-8 text: {error}")
    return scores
  reader = csv.reader(io.StringIO(text), strict=True)
  try:
    header = [cell.strip() for cell in next(reader, [])]
    columns = _columns(header, faults)
    if "file" not in header or -1 in columns:
      return scores
    number = {key: i for i, key in enumerate(truth.keys)}
    seen: set[str] = set()
    for row in reader:
      if not any(row):
        continue
      if len(row) != len(header):
        where = f"line {reader.line_num}"
        faults.add(f"scores.csv: rows without {len(header)} fields", where)
        continue
      name = row[header.index("file")].strip()
      if stem(name) in seen:
        faults.add("scores.csv: images that are there twice", name)
      seen.add(stem(name))
      if truth.knows(name, "scores.csv", faults):
        values = [row[c] for c in columns]
        scores[number[stem(name)]] = _probabilities(values, name, faults)
  except csv.Error as error:
    faults.add("scores.csv: broken lines", f"line {reader.line_num} ({error})")
    return scores
  for key in truth.keys:
    if key not in seen:
      faults.add(f"scores.csv: missing images of {truth.list_name}", key)
  return scores


def _probabilities(values, name, faults):
  """Returns one row of scores; notes what is no number of 0..1."""
  row = []
  for finding, text in zip(FINDINGS, values):
    try:
      value = float(text)
    except ValueError:
      faults.add("scores.csv: not a number", f"{name} {finding} {text!r}")
      value = math.nan
    else:
      if not math.isfinite(value):
        faults.add("scores.csv: NaN or infinite", f"{name} {finding}")
      elif not 0 <= value <= 1:
        faults.add("scores.csv: outside 0..1", f"{name} {finding} {value:g}")
    row.append(value)
  return row


def _read_json(path: pathlib.Path, kind: type, faults: Faults):
  """Returns the parsed file, or None after noting why not."""
  try:
    value = json.loads(path.read_text(encoding="utf-8-sig"))
  except (ValueError, OSError, RecursionError) as error:
    faults.add(f"{path.name}: not JSON: {error}")
    return None
  if not isinstance(value, kind):
    faults.add(f"{path.name}: must hold a {kind.__name__}")
    return None
  return value


def _read_thresholds(
  path: pathlib.Path, faults: Faults
) -> dict[str, float] | None:
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


def _read_boxes(
  path: pathlib.Path, truth: OfficialLists, faults: Faults
) -> tuple[list[dict], int]:
  """Returns the boxes on boxed images, and how many lie on others."""
  rows = _read_json(path, list, faults) or []
  kept, unused = [], 0
  for number, row in enumerate(rows):
    where = f"entry {number}"
    if not isinstance(row, dict) or any(f not in row for f in _BOX_FIELDS):
      faults.add(f"boxes.json: entries without {', '.join(_BOX_FIELDS)}", where)
      continue
    where = f"{where} ({row['file']})"
    if row["finding"] not in FINDINGS:
      faults.add("boxes.json: unknown findings", near(str(row["finding"])))
      continue
    numbers = [row[f] for f in _BOX_FIELDS[2:]]
    if not all(map(_is_number, numbers)):
      faults.add("boxes.json: NaN, infinite or not a number", where)
      continue
    _check_box(numbers[:4], where, faults)
    if truth.knows(str(row["file"]), "boxes.json", faults):
      boxed = stem(str(row["file"])) in truth.lists.boxes
      unused += not boxed
      kept += [row] if boxed else []
  return kept, unused


def _is_number(value) -> bool:
  """Returns whether a JSON value is a finite number."""
  # An integer of JSON may be too large to be finite as a float.
  return (
    isinstance(value, int | float)
    and not isinstance(value, bool)
    and abs(value) <= sys.float_info.max
  )


def _check_box(xywh, where, faults):
  x, y, w, h = xywh
  if w <= 0 or h <= 0:
    faults.add("boxes.json: width or height not above 0", where)
  far = FRAME + _SLACK
  if min(x, y) < -_SLACK or x + w > far or y + h > far:
    faults.add(f"boxes.json: boxes off the image (0..{FRAME})", where)
