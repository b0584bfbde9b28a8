"""Boxes as an object detector gives them, and the true boxes beside them."""

from typing import NamedTuple

import numpy as np


class Detections(NamedTuple):
  """Predicted boxes, each with a finding and a score.

  Attributes:
    image: `[D]` str, names of the images.
    finding: `[D]` str.
    box: `[D, 4]` x1, y1, x2, y2 in pixels of the frame.
    score: `[D]` float64, higher means more likely.
  """

  image: np.ndarray
  finding: np.ndarray
  box: np.ndarray
  score: np.ndarray

  def keep(self, rows: np.ndarray) -> "Detections":
    """Return some of the detections.

    Args:
      rows: `[D]` bool, or `[M]` int.

    Returns:
      The detections of these rows.
    """
    return Detections(*(column[rows] for column in self))

  def best_of_pairs(self) -> "Detections":
    """Return the box with the highest score of every image and finding.

    Returns:
      One detection per pair, in the order they are here; of equal scores the
      first.
    """
    order = np.argsort(-self.score, kind="stable")
    pairs = pair_names(self.image, self.finding)[order]
    _, first = np.unique(pairs, return_index=True)
    return self.keep(np.sort(order[first]))


class TrueBoxes(NamedTuple):
  """The true boxes of all boxed images.

  Attributes:
    image: `[P]` str, names of the images.
    finding: `[P]` str.
    box: `[P, 4]` x1, y1, x2, y2 in pixels of the frame.
  """

  image: np.ndarray
  finding: np.ndarray
  box: np.ndarray


def pair_names(image: np.ndarray, finding: np.ndarray) -> np.ndarray:
  """Return one name for every pair of image and finding, to compare pairs.

  Args:
    image: `[D]` str.
    finding: `[D]` str.

  Returns:
    `[D]` str.
  """
  return np.char.add(np.char.add(image, "\n"), finding)
