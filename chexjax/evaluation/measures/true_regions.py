"""The true boxes of image and finding: one, or several that count together.

With several boxes, of two places or of several readers:

- IoU, IoBB and Dice are taken with the union of the boxes as one mask;
- a point is right, and an IoU of at least t is reached (`any_iou`), in any one
  of the boxes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.measures import overlap


class TrueRegions(NamedTuple):
  """The true boxes of P pairs of image and finding.

  Attributes:
    box: `[P, 4]` in pixels: the box of each pair, the first of several.
    row: `[E]` int, the pair that each further box belongs to.
    more: `[E, 4]` the further boxes.
  """

  box: np.ndarray
  row: np.ndarray
  more: np.ndarray

  def of(self, p: int) -> np.ndarray:
    """Return all boxes of a pair.

    Args:
      p: its number.

    Returns:
      `[M, 4]`.
    """
    return np.concatenate([self.box[p][None], self.more[self.row == p]])

  def every(self) -> np.ndarray:
    """Return all boxes of all pairs.

    Returns:
      `[P + E, 4]`, the first ones first.
    """
    return np.concatenate([self.box, self.more])

  def owners(self) -> np.ndarray:
    """Return the pair that each box of `every` belongs to.

    Returns:
      `[P + E]` int.
    """
    return np.concatenate([np.arange(len(self.box)), self.row])

  def area(self) -> np.ndarray:
    """Return how much of the image the boxes of each pair cover together.

    Returns:
      `[P]` float64 square pixels.
    """
    area = np.array(overlap.area(self.box))
    for p, boxes in self._several():
      area[p] = overlap.area(overlap.disjoint(boxes)).sum()
    return area

  def iou(self, predicted: np.ndarray) -> np.ndarray:
    """Compute the IoU of predicted boxes with the union of the true ones.

    Args:
      predicted: `[P or 1, C, 4]` in pixels.

    Returns:
      `[P, C]` float64 in 0..1.
    """
    return self._measure(overlap.iou, _union_iou, predicted)

  def any_iou(self, predicted: np.ndarray) -> np.ndarray:
    """Compute the IoU of predicted boxes with the best one of the true boxes.

    Args:
      predicted: `[P or 1, C, 4]` in pixels.

    Returns:
      `[P, C]` float64 in 0..1.
    """
    return self._measure(overlap.iou, _best_iou, predicted)

  def iobb(self, predicted: np.ndarray) -> np.ndarray:
    """Compute intersection with the union over the predicted box's area.

    Args:
      predicted: `[P or 1, C, 4]` in pixels.

    Returns:
      `[P, C]` float64 in 0..1.
    """
    return self._measure(overlap.iobb, _union_iobb, predicted)

  def dice(self, predicted: np.ndarray) -> np.ndarray:
    """Compute the Dice coefficient with the union of the true boxes.

    Args:
      predicted: `[P or 1, C, 4]` in pixels.

    Returns:
      `[P, C]` float64 in 0..1.
    """
    return self._measure(overlap.dice, _union_dice, predicted)

  def contains(self, points: np.ndarray) -> np.ndarray:
    """Return whether points lie in any of the true boxes.

    Args:
      points: `[P or 1, C, 2]` x, y in pixels.

    Returns:
      `[P, C]` bool.
    """
    return self._measure(_in_one, _in_any, points)

  def _several(self) -> Iterator[tuple[int, np.ndarray]]:
    """Yield number and boxes of the pairs with more than one box."""
    for p in np.unique(self.row):
      yield int(p), self.of(p)

  def _measure(
    self,
    one: Callable[[np.ndarray, np.ndarray], np.ndarray],
    several: Callable[[np.ndarray, np.ndarray], np.ndarray],
    predicted: np.ndarray,
  ) -> np.ndarray:
    """Return `[P, C]`: `one` for all pairs at once, `several` where needed."""
    values = np.array(one(predicted, self.box[:, None]))
    for p, boxes in self._several():
      values[p] = several(predicted[p if len(predicted) > 1 else 0], boxes)
    return values


def regions(boxes: Sequence[np.ndarray]) -> TrueRegions:
  """Return the true regions of pairs from their boxes.

  Args:
    boxes: of each pair `[M, 4]`, at least one.

  Returns:
    The `TrueRegions`.
  """
  more = [of[1:] for of in boxes]
  return TrueRegions(
    np.array([of[0] for of in boxes], np.float64).reshape(-1, 4),
    np.repeat(np.arange(len(boxes)), [len(of) for of in more]),
    np.concatenate([np.zeros((0, 4)), *more]),
  )


def _shared(
  predicted: np.ndarray, boxes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Return `[C]` area shared with a union of boxes, and the union's area."""
  cells = overlap.disjoint(boxes)
  shared = overlap.intersection(predicted[:, None], cells[None]).sum(1)
  return shared, overlap.area(cells).sum()


def _union_iou(predicted: np.ndarray, boxes: np.ndarray) -> np.ndarray:
  shared, area = _shared(predicted, boxes)
  return overlap.ratio(shared, overlap.area(predicted) + area - shared)


def _best_iou(predicted: np.ndarray, boxes: np.ndarray) -> np.ndarray:
  return overlap.iou(predicted[:, None], boxes[None]).max(1)


def _in_one(points: np.ndarray, box: np.ndarray) -> np.ndarray:
  return overlap.contains(box, points)


def _in_any(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
  return np.asarray(overlap.contains(boxes, points[:, None]).any(1))


def _union_iobb(predicted: np.ndarray, boxes: np.ndarray) -> np.ndarray:
  shared, _ = _shared(predicted, boxes)
  return overlap.ratio(shared, overlap.area(predicted))


def _union_dice(predicted: np.ndarray, boxes: np.ndarray) -> np.ndarray:
  shared, area = _shared(predicted, boxes)
  return overlap.ratio(2 * shared, overlap.area(predicted) + area)
