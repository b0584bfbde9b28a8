"""Wang et al.'s rule for boxes: two fixed cuts, every region, no choice.

A map is scaled to 0..1 by its lowest and highest value and cut at 60 / 255 and
180 / 255; every isolated region of either cut gets a box. A true box is found
if any of them overlaps it enough, and every box that does not is a false one.
The paper leaves open how regions touch (8 neighbours here), and how a map is
enlarged (bilinearly here, before the cuts).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.components import find_components
from chexjax.evaluation.measures.heat_maps import rescale

CUTS = (60 / 255, 180 / 255)
IOU = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
IOBB = (0.1, 0.25, 0.5, 0.75, 0.9)
LEVELS = {"iou": IOU, "iobb": IOBB}
_OVERLAPS = {"iou": overlap.iou, "iobb": overlap.iobb}


class WangScore(NamedTuple):
  """What a map's boxes are worth against the true boxes of its finding.

  Attributes:
    found: measure (`iou`, `iobb`) -> `[T]` bool, whether a box reaches each of
      `LEVELS`.
    false: measure -> `[T]` int, the number of boxes that do not.
  """

  found: dict[str, np.ndarray]
  false: dict[str, np.ndarray]


def score_wang(heat: np.ndarray, true: ArrayLike) -> WangScore:
  """Score a map under the rule.

  Args:
    heat: `[h, w]` finite float32.
    true: `[M, 4]` true boxes in pixels of the map.

  Returns:
    The `WangScore`. A flat map has no box.
  """
  boxes = wang_boxes(heat)
  given = np.asarray(true, np.float64)
  found, false = {}, {}
  for measure, levels in LEVELS.items():
    shared = _OVERLAPS[measure](boxes[:, None], given[None])
    best = shared.max(1, initial=0)
    hits = best[:, None] > np.array(levels)
    found[measure] = hits.any(0)
    false[measure] = (~hits).sum(0)
  return WangScore(found, false)


def wang_boxes(heat: np.ndarray) -> np.ndarray:
  """Return the boxes of all regions of both cuts.

  Args:
    heat: `[h, w]` finite float32.

  Returns:
    `[R, 4]` x1, y1, x2, y2 in pixels of the map, x2 and y2 exclusive.
  """
  scaled = rescale(heat, "minmax")
  if not scaled.any():
    return np.zeros((0, 4))
  return find_components(scaled, np.array(CUTS, np.float32)).box
