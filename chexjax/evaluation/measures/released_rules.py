"""The authors' released box rules, to reproduce their figures exactly.

What differs from ours, as their code has it (Hermoza et al. 2020, released
`structures.py` and `explorer.py`):

- a map is cut at its own size, not enlarged first; where the cut is the map's
  lowest value, pixels must lie above it, not at it;
- a component inside a hole of another one is not seen (outer contours only);
- a box ends at its last pixel, so it is one pixel smaller each way;
- `split` keeps the box holding the highest value; of equals the one met last;
  `union` scores all boxes at once, their overlaps counted twice;
- saliency thresholds are absolute, all others percentiles; cDice is taken
  against the box cut down to whole pixels, with the `released` scale for all
  but saliency.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.components import find_components
from chexjax.evaluation.measures.heat_maps import (
  RELEASED_MAPS,
  THRESHOLDS,
  MapRule,
  cut_values,
  rescale,
  trained_name,
  upsample,
)

RELEASED_RULES = ("split", "union")


class ReleasedScore(NamedTuple):
  """What one map is worth against one true box under the authors' rules.

  Attributes:
    iou: `split` or `union` -> `[T]` float64.
    iobb: the same, intersection over the predicted area.
    cdice: float; can leave 0..1.
  """

  iou: dict[str, np.ndarray]
  iobb: dict[str, np.ndarray]
  cdice: float


def released_rule(name):
  """Give the authors' `MapRule` for a map; an unknown name counts as mix."""
  other = MapRule("percentile", "released")
  return RELEASED_MAPS.get(trained_name(name), other)


def released_cuts(heat, thresholds, meaning):
  """Turn thresholds into `[T]` cuts; one at the lowest value is raised."""
  cuts = cut_values(heat, thresholds, meaning)
  above = np.nextafter(cuts, np.float32(np.inf), dtype=np.float32)
  return np.where(cuts == heat.min(), above, cuts)


def _may_be_nested(box):
  if len(box) > 200:  # cheaper to look than to compare all pairs
    return True
  inner, outer = box[:, None], box[None]
  inside = (inner[..., :2] > outer[..., :2]) & (inner[..., 2:] < outer[..., 2:])
  return bool(inside.all(-1).any())


def _is_outer(heat, cut, first):
  """Tell, for components by first pixel, which lie in no hole of another."""
  background = np.pad(heat < cut, 1, constant_values=True)
  label, _ = ndimage.label(background)  # 4-connected: its default
  left = label[first[:, 0] + 1, first[:, 1]]  # the pixel left of the first
  return left == label[0, 0]


def released_boxes(heat, cuts):
  """Give the authors' boxes of a map: for every cut `[C, 4]`, C may be 0.

  Args:
    heat: `[h, w]` finite float32.
    cuts: `[T]` of `released_cuts`.

  Returns:
    T arrays in pixels of the map, in the order components are met row by row.
  """
  found = find_components(heat, cuts)
  ends = np.searchsorted(found.level, np.arange(len(cuts) + 1))
  result = []
  for t, cut in enumerate(cuts):
    box, first = (x[ends[t] : ends[t + 1]] for x in (found.box, found.first))
    if len(box) > 1 and _may_be_nested(box):
      box = box[_is_outer(heat, cut, first)]
    result.append(box - np.float32([0, 0, 1, 1]))
  return result


def _split(heat, boxes):
  """Pick the box `[4]` whose rectangle holds the highest value."""
  if len(boxes) == 1:
    return boxes[0]
  low = heat.min()
  values = [
    heat[y1:y2, x1:x2].max(initial=low)
    for x1, y1, x2, y2 in boxes[::-1].astype(int)
  ]
  return boxes[len(boxes) - 1 - int(np.argmax(values))]


def score_released(heat, box, frame, *, name="mix", thresholds=THRESHOLDS):
  """Score a map against one true box under the authors' rules.

  Args:
    heat: `[h, w]` finite float32.
    box: `[4]` true box in pixels of the frame.
    frame: `(height, width)` of the model's input image.
    name: `sal`, `det`, `mix`, ...: see `released_rule`.
    thresholds: `[T]` in 0..1.

  Returns:
    A `ReleasedScore`; where a cut keeps no pixel IoU and IoBB are 0.
  """
  rule = released_rule(name)
  grain = [frame[1] / heat.shape[1], frame[0] / heat.shape[0]] * 2
  cuts = released_cuts(heat, thresholds, rule.meaning)
  rows = []
  for boxes in released_boxes(heat, cuts):
    if not len(boxes):
      rows.append([[0.0, 0.0]] * 2)
      continue
    split = _split(heat, boxes)[None]
    rows.append([_overlaps(b * np.float64(grain), box) for b in (split, boxes)])
  table = np.array(rows)  # [T, split or union, iou or iobb]
  scaled = upsample(rescale(heat, rule.scale), frame)
  fit = [scaled.shape[1] / frame[1], scaled.shape[0] / frame[0]] * 2
  whole = np.floor(np.asarray(box) * fit)
  return ReleasedScore(
    {r: table[:, i, 0] for i, r in enumerate(RELEASED_RULES)},
    {r: table[:, i, 1] for i, r in enumerate(RELEASED_RULES)},
    overlap.cdice(scaled, whole),
  )


def _overlaps(boxes, true):
  """Give IoU and IoBB of boxes `[C, 4]` together, overlaps counted twice."""
  shared = float(overlap.intersection(boxes, true).sum())
  size = float(overlap.area(boxes).sum())
  whole = size + float(overlap.area(true)) - shared
  return [shared / whole, shared / size if size else 0.0]
