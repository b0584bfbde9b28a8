"""One row per true box: all that the protocols need, whatever the model."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.detections import TrueBoxes
from chexjax.evaluation.measures.heat_maps import Frame, MapRule


class LocalizationTable(NamedTuple):
  """The predicted boxes of every true box, all in pixels of the frame.

  Attributes:
    image: `[P]` str, names of the images.
    patient: `[P]` str.
    finding: `[P]` str.
    true_box: `[P, 4]` float64.
    frame: height and width of the model's input image.
    thresholds: `[T]` float64, of every map.
    maps: name of each map -> what its thresholds mean and how it is scaled.
    boxes: name of each map -> component rule -> `[P, T, 4]` float32, all zero
      where a threshold keeps no pixel.
    cdice: name of each map -> `[P]` float64; empty for a model without maps.
    peak: name of each map -> `[P, 2]` float64 x, y of the highest value.
    best_iou: name of each map -> `[P, T]` float64, IoU of the best of all
      components.
    released: name of each map -> measure (`iou`, `iobb`) -> `split` or `union`
      -> `[P, T]` float64; measure `cdice` -> either -> `[P]`.
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

  def iou(self, name: str, *, component: str = "largest") -> np.ndarray:
    """Compute the IoU of a map's boxes with the true ones.

    Args:
      name: of the map.
      component: which component is boxed, a key of `boxes[name]`.

    Returns:
      `[P, T]` float64 in 0..1.
    """
    return overlap.iou(self.boxes[name][component], self.true_box[:, None])

  def iobb(self, name: str, *, component: str = "largest") -> np.ndarray:
    """Compute intersection over the predicted box's area.

    Args:
      name: of the map.
      component: which component is boxed, a key of `boxes[name]`.

    Returns:
      `[P, T]` float64 in 0..1.
    """
    return overlap.iobb(self.boxes[name][component], self.true_box[:, None])

  def pointing(self, name: str) -> np.ndarray:
    """Return whether a map's highest value lies in the true box.

    Args:
      name: of the map.

    Returns:
      `[P]` bool.
    """
    return overlap.contains(self.true_box, self.peak[name])

  def true_boxes(self) -> TrueBoxes:
    """Return the true boxes alone.

    Returns:
      The `TrueBoxes`, in the order of the rows.
    """
    return TrueBoxes(self.image, self.finding, self.true_box)


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
