"""The authors' released box rules, to reproduce their figures exactly.

Their code (Hermoza et al. 2020, released `structures.py` and `explorer.py`)
differs from ours as follows:

- a map is cut at its own size, not enlarged first; where the cut is the map's
  lowest value, pixels must lie above it, not at it;
- a component inside a hole of another one is not seen (outer contours only);
- a box ends at its last pixel, so it is one pixel smaller each way;
- `split` keeps the box that holds the highest value; of equals the one met
  last; `union` scores all boxes at once, their overlaps counted twice;
- saliency thresholds are absolute, all others percentiles; cDice is taken
  against the box cut down to whole pixels, with the scale `released` for all
  maps but saliency.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.components import find_components
from chexjax.evaluation.measures.heat_maps import (
  RELEASED_MAPS,
  THRESHOLDS,
  Frame,
  MapRule,
  cut_values,
  rescale,
  trained_name,
  upsample,
)

RELEASED_RULES = ("split", "union")


class ReleasedScore(NamedTuple):
  """What one map is worth against the true boxes under the authors' rules.

  Attributes:
    iou: `split` or `union` -> `[T]` float64.
    iobb: the same, intersection over the predicted area.
    cdice: float; it can leave 0..1.
  """

  iou: dict[str, np.ndarray]
  iobb: dict[str, np.ndarray]
  cdice: float


def released_rule(name: str) -> MapRule:
  """Return the authors' rule for a map; an unknown map is read as the mix.

  Args:
    name: of a map; a control row has the rule of the trained head's map.

  Returns:
    The `MapRule`.
  """
  other = MapRule("percentile", "released")
  return RELEASED_MAPS.get(trained_name(name), other)


def released_cuts(
  heat: np.ndarray, thresholds: ArrayLike, meaning: str
) -> np.ndarray:
  """Return the cuts of thresholds; one at the map's lowest value is raised.

  Args:
    heat: `[h, w]` finite float32.
    thresholds: `[T]` in 0..1.
    meaning: one of `heat_maps.MEANINGS`.

  Returns:
    `[T]` float32; a pixel is kept where its value is >= the cut. As
    `heat_maps.cut_values`, except that the lowest value is never kept.
  """
  cuts = cut_values(heat, thresholds, meaning)
  above = np.nextafter(cuts, np.float32(np.inf), dtype=np.float32)
  return np.where(cuts == heat.min(), above, cuts)


def _may_be_nested(box: np.ndarray) -> bool:
  if len(box) > 200:  # Comparing all pairs costs more than looking at the map.
    return True
  inner, outer = box[:, None], box[None]
  inside = (inner[..., :2] > outer[..., :2]) & (inner[..., 2:] < outer[..., 2:])
  return bool(inside.all(-1).any())


def _is_outer(heat: np.ndarray, cut: float, first: np.ndarray) -> np.ndarray:
  """Return which components, by first pixel, lie in no hole of another."""
  background = np.pad(heat < cut, 1, constant_values=True)
  label, _ = ndimage.label(background)  # 4-connected by default
  left = label[first[:, 0] + 1, first[:, 1]]  # the pixel left of the first
  return left == label[0, 0]


def released_boxes(heat: np.ndarray, cuts: np.ndarray) -> list[np.ndarray]:
  """Return the authors' boxes of a map at every cut.

  Args:
    heat: `[h, w]` finite float32.
    cuts: `[T]`, of `released_cuts`.

  Returns:
    T arrays `[C, 4]` in pixels of the map, C may be 0, in the order that
    components are met row by row.
  """
  found = find_components(heat, cuts)
  ends = np.searchsorted(found.level, np.arange(len(cuts) + 1))
  result = []
  for t, cut in enumerate(cuts):
    box, first = (x[ends[t] : ends[t + 1]] for x in (found.box, found.first))
    if len(box) > 1 and _may_be_nested(box):
      box = box[_is_outer(heat, cut, first)]
    result.append(box - np.array([0, 0, 1, 1], np.float32))
  return result


def _split(heat: np.ndarray, boxes: np.ndarray) -> np.ndarray:
  """Return the box `[4]` whose rectangle holds the highest value."""
  if len(boxes) == 1:
    return boxes[0]
  low = heat.min()
  values = [
    heat[y1:y2, x1:x2].max(initial=low)
    for x1, y1, x2, y2 in boxes[::-1].astype(int)
  ]
  return boxes[len(boxes) - 1 - int(np.argmax(values))]


def score_released(
  heat: np.ndarray,
  box: ArrayLike,
  frame: Frame,
  *,
  name: str = "mix",
  thresholds: Sequence[float] = THRESHOLDS,
) -> ReleasedScore:
  """Score a map against the true boxes under the authors' rules.

  Several true boxes are one mask; the authors' data has none.

  Args:
    heat: `[h, w]` finite float32.
    box: `[4]` or `[M, 4]` true boxes in pixels of the frame.
    frame: height and width of the model's input image, in pixels.
    name: `sal`, `det`, `mix`, ..., see `released_rule`.
    thresholds: `[T]` in 0..1.

  Returns:
    A `ReleasedScore`; IoU and IoBB are 0 where a cut keeps no pixel.
  """
  rule = released_rule(name)
  grain = np.array([frame[1] / heat.shape[1], frame[0] / heat.shape[0]] * 2)
  cuts = released_cuts(heat, thresholds, rule.meaning)
  cells = overlap.disjoint(box)
  rows = []
  for boxes in released_boxes(heat, cuts):
    if not len(boxes):
      rows.append([[0.0, 0.0]] * 2)
      continue
    split = _split(heat, boxes)[None]
    rows.append([_overlaps(b * grain, cells) for b in (split, boxes)])
  table = np.array(rows)  # [T, split or union, iou or iobb]
  return ReleasedScore(
    {r: table[:, i, 0] for i, r in enumerate(RELEASED_RULES)},
    {r: table[:, i, 1] for i, r in enumerate(RELEASED_RULES)},
    _whole_pixel_cdice(heat, box, frame, rule.scale),
  )


def _whole_pixel_cdice(
  heat: np.ndarray, box: ArrayLike, frame: Frame, scale: str
) -> float:
  scaled = upsample(rescale(heat, scale), frame)
  fit = [scaled.shape[1] / frame[1], scaled.shape[0] / frame[0]] * 2
  return overlap.cdice(scaled, np.floor(np.asarray(box) * fit))


def _overlaps(boxes: np.ndarray, true: np.ndarray) -> list[float]:
  """Return IoU and IoBB of boxes `[C, 4]` together, overlaps counted twice.

  The true boxes `[D, 4]` do not overlap.
  """
  shared = float(overlap.intersection(boxes[:, None], true).sum())
  size = float(overlap.area(boxes).sum())
  whole = size + float(overlap.area(true).sum()) - shared
  return [shared / whole, shared / size if size else 0.0]
