"""The data of the page's case browser: rows of boxes, and their pictures."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from chexjax.evaluation import without_untrained
from chexjax.evaluation.collected.scored_images import plain_names
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.outputs.table_cells import map_label
from chexjax.report.cases import Cases
from chexjax.report.run import Run, predicted_boxes

_PLACES = 4  # digits of box edges, as shares of the image


class Pictures:
  """Numbered base64 pictures, each stored once.

  Attributes:
    data: the pictures, by number.
  """

  def __init__(self) -> None:
    """Start without a picture."""
    self.data: list[str] = []
    self._number: dict[tuple[int, str], int] = {}

  def add(self, cases: Cases | None, file: str | None) -> int | None:
    """Add a picture unless it is there; return its number.

    Args:
      cases: that hold the picture, or None.
      file: its name in `cases`, or None.

    Returns:
      The number; None if there is no picture.
    """
    if cases is None or file is None:
      return None
    key = (id(cases), file)
    if key not in self._number:
      self._number[key] = len(self.data)
      self.data.append(base64.b64encode(cases.read(file)).decode())
    return self._number[key]


def case_data(runs: Sequence[Run]) -> tuple[dict[str, Any], list[str]]:
  """Return the data of the case browser, and its pictures.

  Args:
    runs: one or two; two must have the same true boxes. The first gives the
      order of the cases.

  Returns:
    A tree of JSON values, in which pictures are numbers, and the pictures by
    number as base64 JPEGs.
  """
  pictures = Pictures()
  sides = [_case_rows(run, pictures) for run in runs]
  keys = _keys(runs[0])
  places = [{key: p for p, key in enumerate(_keys(run))} for run in runs]
  table = runs[0].record.table
  regions = table.regions()
  rows = [
    {
      "image": str(image),
      "finding": str(finding),
      "film": pictures.add(*_film(runs, image)),
      "true": _share(table.true_box[p], table.frame),
      "more": [_share(box, table.frame) for box in regions.of(p)[1:]],
      "runs": [
        side[place.get(keys[p], place[(*keys[p][:2], 0)])]
        for side, place in zip(sides, places)
      ],
    }
    for p, (image, finding) in enumerate(zip(table.image, table.finding))
  ]
  about = {
    "findings": [str(f) for f in dict.fromkeys(sorted(table.finding.tolist()))],
    "runs": [
      {
        "label": run.label,
        "maps": [
          {"name": n, "title": map_label(n)}
          for n in without_untrained(run.record.table.boxes)
        ],
      }
      for run in runs
    ],
    "rows": rows,
  }
  return about, pictures.data


def _case_rows(run: Run, pictures: Pictures) -> list[dict[str, Any]]:
  """Return what one run predicts for every true box, in its table's order."""
  table, images = run.record.table, run.record.images
  boxes = predicted_boxes(run)
  if not len(table.image):
    return []
  score = images.scores[
    images.places(table.image), images.columns(table.finding)
  ]
  regions = table.regions()
  ious = {
    name: regions.iou(np.nan_to_num(of)[:, None])[:, 0]
    for name, of in boxes.items()
  }
  rows = []
  for p in range(len(table.image)):
    stored = run.cases.rows[p]["maps"] if run.cases is not None else {}
    maps = {}
    for name in boxes:
      box = boxes[name][p]
      iou = ious[name][p]
      maps[name] = {
        "picture": pictures.add(run.cases, stored.get(name, {}).get("file")),
        "high": stored.get(name, {}).get("high"),
        "box": _share(box, table.frame),
        "iou": round(float(iou), 4),
      }
    known = None if np.isnan(score[p]) else round(float(score[p]), 4)
    rows.append({"score": known, "maps": maps})
  return rows


def _keys(run: Run) -> list[tuple[str, str, int]]:
  """Return what identifies every row in both runs.

  It is the image, without its ending, the finding, and the number of the row
  among those of the pair: older results have a row for each of several boxes.
  """
  table = run.record.table
  seen: dict[tuple[str, str], int] = {}
  keys = []
  for pair in zip(plain_names(table.image).tolist(), table.finding.tolist()):
    keys.append((*pair, seen.get(pair, 0)))
    seen[pair] = seen.get(pair, 0) + 1
  return keys


def _film(runs: Sequence[Run], image: str) -> tuple[Cases | None, str | None]:
  """Return where the picture of a film is: in the first run that has it."""
  for run in runs:
    if run.cases is not None and image in run.cases.images:
      return run.cases, run.cases.images[image]
  return None, None


def _share(box: Any, frame: Sequence[int]) -> list[float] | None:
  """Return a box as shares of the image, None if it is empty or NaN."""
  if not np.isfinite(box).all() or not overlap.area(box) > 0:
    return None
  height, width = frame
  return np.round(np.divide(box, [width, height] * 2), _PLACES).tolist()
