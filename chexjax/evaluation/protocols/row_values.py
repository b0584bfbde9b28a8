"""What each boxed pair of one finding scores under one protocol."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

T_IOU: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
BOX_ACC_IOU: tuple[float, ...] = (0.3, 0.5, 0.7)

# Keys of a measure: `("iou",)`, `("cdice",)`, ..., `("t_iou", "0.3")`, ...
MeasurePath = tuple[str, ...]


class RowValues(NamedTuple):
  """Values of one finding's rows under one protocol; None: undefined.

  Attributes:
    iou: `[R, P]` under the chosen candidate, chosen R times anew.
    cdice: `[R, P]`; that of a map does not depend on the choice.
    chosen: `[R, P]` int, the candidates.
    iobb: `[R, P]`, shared area over the predicted box's.
    pointing: `[R, P]`, 1 where the highest value lies in the true box.
    box_acc: `[R, P]`, share of `BOX_ACC_IOU` that the best of all boxes
      reaches, each with a threshold of its own (MaxBoxAccV2, Choe et al.
      2020, except that thresholds are chosen per finding).
    any_iou: `[R, P]` with the best one of several true boxes; None where it is
      `iou`.
  """

  iou: np.ndarray | None
  cdice: np.ndarray | None
  chosen: np.ndarray | None
  iobb: np.ndarray | None = None
  pointing: np.ndarray | None = None
  box_acc: np.ndarray | None = None
  any_iou: np.ndarray | None = None

  @property
  def found_iou(self) -> np.ndarray | None:
    """The IoU that T(IoU) asks for, `[R, P]`: that with any true box."""
    return self.iou if self.any_iou is None else self.any_iou

  def rows(
    self, t_iou: Sequence[float] = T_IOU
  ) -> dict[MeasurePath, np.ndarray | None]:
    """Average each row over the repeats.

    Args:
      t_iou: the IoUs of T(IoU).

    Returns:
      Path of keys -> `[P]` float64 or None. `("t_iou", "0.3")` is 1 where the
      row has an IoU of at least 0.3 with any of its true boxes.
    """

    def mean(values: np.ndarray | None) -> np.ndarray | None:
      return None if values is None else np.mean(values, 0, dtype=float)

    found = self.found_iou
    return {
      ("iou",): mean(self.iou),
      ("cdice",): mean(self.cdice),
      ("iobb",): mean(self.iobb),
      ("pointing",): mean(self.pointing),
      ("max_box_acc_v2",): mean(self.box_acc),
      **{
        ("t_iou", str(t)): mean(None if found is None else found >= t)
        for t in t_iou
      },
    }

  def means(
    self, t_iou: Sequence[float] = T_IOU
  ) -> dict[MeasurePath, float | None]:
    """Average over rows and repeats.

    Args:
      t_iou: the IoUs of T(IoU).

    Returns:
      Path of keys -> float in 0..1, or None.
    """
    return {
      path: None if rows is None else float(rows.mean())
      for path, rows in self.rows(t_iou).items()
    }

  def where(self, predicted: ArrayLike) -> "RowValues":
    """Set the values of rows to 0 whose finding is not predicted.

    Args:
      predicted: `[R or 1, P]` bool.

    Returns:
      The values; `chosen` stays as it is.
    """

    def cut(values: np.ndarray | None) -> np.ndarray | None:
      return None if values is None else np.asarray(values) * predicted

    return RowValues(
      iou=cut(self.iou),
      cdice=cut(self.cdice),
      chosen=self.chosen,
      iobb=cut(self.iobb),
      pointing=cut(self.pointing),
      box_acc=cut(self.box_acc),
      any_iou=cut(self.any_iou),
    )


UNDEFINED = RowValues(None, None, None)
