"""What one heat map is worth against the true boxes, at every threshold."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.components import (
  find_components,
  peak_of,
  picked_boxes,
)
from chexjax.evaluation.measures.heat_maps import (
  DEFAULT_MAPS,
  THRESHOLDS,
  Frame,
  MapRule,
  check_map,
  cut_values,
  rescale,
  upsample,
)
from chexjax.evaluation.measures.released_rules import (
  ReleasedScore,
  score_released,
)
from chexjax.evaluation.measures.wang_rule import WangScore, score_wang


class MapScore(NamedTuple):
  """What one map is worth against the true boxes of its image and finding.

  Attributes:
    boxes: component rule -> `[T, 4]` float32 in pixels of the frame.
    cdice: float in 0..1; only the scale `released` can leave it.
    peak: `[2]` x, y of the centre of the pixel with the highest value, in
      pixels of the frame.
    best_iou: `[T]` IoU of the best of all components with any true box.
    wang: the score under the rule of Wang et al.
    released: the score under the authors' rules, or None.
  """

  boxes: dict[str, np.ndarray]
  cdice: float
  peak: np.ndarray
  best_iou: np.ndarray
  wang: WangScore
  released: ReleasedScore | None = None


def score_map(
  heat: ArrayLike,
  box: ArrayLike,
  frame: Frame,
  *,
  rule: MapRule = DEFAULT_MAPS["sal"],
  thresholds: Sequence[float] = THRESHOLDS,
  enlarge: bool = True,
  released: str | None = None,
  name: str = "map",
) -> MapScore:
  """Box a map at every threshold and compare it with the true boxes.

  Several true boxes count together, see `true_regions`.

  Args:
    heat: `[h, w]`, any real dtype, finite.
    box: `[4]` or `[M, 4]` true boxes in pixels of the frame.
    frame: height and width of the model's input image, in pixels.
    rule: what a threshold means and how the map is scaled before cDice.
    thresholds: `[T]` in 0..1.
    enlarge: bring a smaller map to the frame before it is cut, bilinearly.
    released: `sal`, `det`, `mix`, ... to score under the authors' rules too.
    name: what an error calls the map.

  Returns:
    A `MapScore`; an IoU is 0 where a threshold keeps no pixel.

  Raises:
    ValueError: if the map is not 2-D or not finite, or a box is empty.
  """
  heat, given = check_map(heat, name), np.asarray(box, np.float64)
  box = given[None] if given.ndim == 1 else given
  if box.shape != (len(box), 4) or not (overlap.area(box) > 0).all():
    raise ValueError(f"want a true box x1 < x2, y1 < y2, got {given.tolist()}")
  theirs = None
  if released:
    theirs = score_released(
      heat, box, frame, name=released, thresholds=thresholds
    )
  if enlarge:
    heat = upsample(heat, frame)
  grain = np.array([frame[1] / heat.shape[1], frame[0] / heat.shape[0]])
  scale = np.tile(grain, 2)
  y, x = peak = peak_of(heat)
  cuts = cut_values(heat, thresholds, rule.meaning)
  found = find_components(heat, cuts, peak=peak)
  best = np.zeros(len(cuts))
  for one in box:
    np.maximum.at(best, found.level, overlap.iou(found.box * scale, one))
  boxes = picked_boxes(found, len(cuts))
  return MapScore(
    {k: (v * scale).astype(np.float32) for k, v in boxes.items()},
    overlap.cdice(rescale(heat, rule.scale), box / scale),
    (np.array([x, y]) + 0.5) * grain,
    best,
    score_wang(heat, box / scale),
    theirs,
  )


def largest_boxes(
  heat: ArrayLike,
  frame: Frame,
  *,
  rule: MapRule,
  thresholds: Sequence[float] = THRESHOLDS,
  name: str = "map",
) -> np.ndarray:
  """Box a map's largest component at every threshold.

  Args:
    heat: `[h, w]`, any real dtype, finite.
    frame: height and width of the model's input image, in pixels.
    rule: what a threshold means.
    thresholds: `[T]` in 0..1.
    name: what an error calls the map.

  Returns:
    `[T, 4]` float32 in pixels of the frame; all zero where a threshold keeps
    no pixel.

  Raises:
    ValueError: if the map is not 2-D or not finite.
  """
  heat = upsample(check_map(heat, name), frame)
  grain = [frame[1] / heat.shape[1], frame[0] / heat.shape[0]] * 2
  cuts = cut_values(heat, thresholds, rule.meaning)
  boxes = picked_boxes(find_components(heat, cuts), len(cuts))["largest"]
  return (boxes * grain).astype(np.float32)
