"""One row per pair of image and finding: all that the protocols need.

A row holds all true boxes of its pair.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.measures.detections import TrueBoxes
from chexjax.evaluation.measures.heat_maps import Frame, MapRule
from chexjax.evaluation.measures.true_regions import TrueRegions


class LocalizationTable(NamedTuple):
  """The predicted boxes of every boxed pair, all in pixels of the frame.

  Attributes:
    image: `[P]` str, names of the images.
    patient: `[P]` str.
    finding: `[P]` str.
    true_box: `[P, 4]` float64, the true box; of several the first.
    frame: height and width of the model's input image.
    thresholds: `[T]` float64, of every map.
    maps: name of each map -> what its thresholds mean and how it is scaled.
    boxes: name of each map -> component rule -> `[P, T, 4]` float32, all zero
      where a threshold keeps no pixel.
    cdice: name of each map -> `[P]` float64; empty for a model without maps.
    peak: name of each map -> `[P, 2]` float64 x, y of the highest value.
    best_iou: name of each map -> `[P, T]` float64, IoU of the best of all
      components with any of the true boxes.
    released: name of each map -> measure (`iou`, `iobb`) -> `split` or `union`
      -> `[P, T]` float64; measure `cdice` -> either -> `[P]`.
    wang: name of each map -> measure (`iou`, `iobb`) -> `found` or `false` ->
      `[P, L]`, see `wang_rule`; empty for a model without maps.
    more_row: `[E]` int, the row of each further true box.
    more_box: `[E, 4]` float64, the further true boxes.
  """

  image: np.ndarray
  patient: np.ndarray
  finding: np.ndarray
  true_box: np.ndarray
  frame: Frame
  thresholds: np.ndarray
  maps: Mapping[str, MapRule]
  boxes: Mapping[str, Mapping[str, np.ndarray]]
  cdice: Mapping[str, np.ndarray]
  peak: Mapping[str, np.ndarray]
  best_iou: Mapping[str, np.ndarray] = {}
  released: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]] = {}
  wang: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]] = {}
  more_row: np.ndarray = np.zeros(0, int)
  more_box: np.ndarray = np.zeros((0, 4))

  def regions(self, *, rows: np.ndarray | None = None) -> TrueRegions:
    """Return all true boxes of rows.

    Args:
      rows: `[P]` bool, or `[Q]` int in rising order; None for all.

    Returns:
      The `TrueRegions`, in the order of the rows.
    """
    if rows is None:
      return TrueRegions(self.true_box, self.more_row, self.more_box)
    at = np.flatnonzero(rows) if rows.dtype == bool else rows
    mine = np.isin(self.more_row, at)
    return TrueRegions(
      self.true_box[at],
      np.searchsorted(at, self.more_row[mine]),
      self.more_box[mine],
    )

  def box_count(self) -> np.ndarray:
    """Return the number of true boxes of every row.

    Returns:
      `[P]` int.
    """
    return 1 + np.bincount(self.more_row, minlength=len(self.true_box))

  def iou(self, name: str, *, component: str = "largest") -> np.ndarray:
    """Compute the IoU of a map's boxes with the union of the true ones.

    Args:
      name: of the map.
      component: which component is boxed, a key of `boxes[name]`.

    Returns:
      `[P, T]` float64 in 0..1.
    """
    return self.regions().iou(self.boxes[name][component])

  def iobb(self, name: str, *, component: str = "largest") -> np.ndarray:
    """Compute intersection over the predicted box's area.

    Args:
      name: of the map.
      component: which component is boxed, a key of `boxes[name]`.

    Returns:
      `[P, T]` float64 in 0..1.
    """
    return self.regions().iobb(self.boxes[name][component])

  def pointing(self, name: str) -> np.ndarray:
    """Return whether a map's highest value lies in any of the true boxes.

    Args:
      name: of the map.

    Returns:
      `[P]` bool.
    """
    return self.regions().contains(self.peak[name][:, None])[:, 0]

  def true_boxes(self) -> TrueBoxes:
    """Return all true boxes alone, each by itself.

    Returns:
      The `TrueBoxes`, in the order of the rows, the further ones last.
    """
    regions = self.regions()
    rows = regions.owners()
    return TrueBoxes(self.image[rows], self.finding[rows], regions.every())


class OtherBoxes(NamedTuple):
  """Predicted boxes of boxed images for findings without a true box there.

  Attributes:
    image: `[Q]` str.
    patient: `[Q]` str.
    finding: `[Q]` str.
    boxes: name of each map -> `[Q, T, 4]` float32 in pixels of the frame, of
      the largest component; all zero where there is none.
  """

  image: np.ndarray
  patient: np.ndarray
  finding: np.ndarray
  boxes: Mapping[str, np.ndarray]
