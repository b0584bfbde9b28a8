"""The classified images: labels, scores, and what is known of the patient."""

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.measures.classification import (
  NO_SCORES,
  Classification,
  check_scores,
  classify,
  unknown_labels,
)

_ENDING = re.compile(r"\.(png|jpe?g|dcm|dicom)$", re.IGNORECASE)


class ScoredImages(NamedTuple):
  """Labels and scores of all images, one row per image.

  Attributes:
    image: `[N]` str, names.
    patient: `[N]` str.
    labels: `[N, K]` bool, False where unknown.
    scores: `[N, K]` float64, higher means more likely; NaN in the column of a
      finding without scores.
    names: `[K]` findings.
    view: `[N]` str, `AP` or `PA`; empty where unknown.
    sex: `[N]` str, `F` or `M`; empty where unknown.
    age: `[N]` int, years; -1 where unknown.
    unknown: `[N, K]` bool, where nobody says whether the finding is there.
    data_set: `[N]` str, which of several joined sets; empty if there is one.
  """

  image: np.ndarray
  patient: np.ndarray
  labels: np.ndarray
  scores: np.ndarray
  names: tuple[str, ...]
  view: np.ndarray
  sex: np.ndarray
  age: np.ndarray
  unknown: np.ndarray
  data_set: np.ndarray

  def places(self, image: ArrayLike) -> np.ndarray:
    """Return the rows of images by name.

    Args:
      image: `[P]` names.

    Returns:
      `[P]` int.

    Raises:
      ValueError: if one of them is not here.
    """
    image = np.asarray(image)
    order = np.argsort(self.image)
    found = np.searchsorted(self.image, image, sorter=order)
    rows = order[np.minimum(found, len(order) - 1)]
    unknown = image[self.image[rows] != image]
    if unknown.size:
      raise ValueError(f"{unknown[0]} has a box but no scores")
    return rows

  def columns(self, finding: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return the columns of findings by name.

    Args:
      finding: `[P]` names.

    Returns:
      `[P]` int.

    Raises:
      ValueError: if one of them has no scores.
    """
    missing = sorted(set(finding) - set(self.names))
    if missing:
      raise ValueError(f"no scores of {', '.join(missing)}")
    return np.array([self.names.index(name) for name in finding], int)

  def unscored(self) -> tuple[str, ...]:
    """Return the findings without scores.

    Returns:
      Their names, in the order of `names`.
    """
    # With no image at all, no score is missing.
    none = np.isnan(self.scores).any(0)
    return tuple(n for n, absent in zip(self.names, none) if absent)

  def classification(self) -> Classification:
    """Compute AUC and average precision of every finding.

    Returns:
      Of `classify`; findings without scores have none.
    """
    missing = dict.fromkeys(self.unscored(), NO_SCORES)
    return classify(
      self.label_values(), self.scores, self.names, missing=missing
    )

  def label_values(self) -> np.ndarray:
    """Return the labels as numbers.

    Returns:
      `[N, K]` float64 of 0 and 1, NaN where unknown.
    """
    return np.where(self.unknown, np.nan, self.labels)

  def labelled(self, image: np.ndarray, finding: np.ndarray) -> np.ndarray:
    """Return whether images have findings, or may have them.

    Where the label is unknown, a predicted box is neither right nor wrong, as
    where the finding is labelled but not boxed.

    Args:
      image: `[D]` names.
      finding: `[D]` names.

    Returns:
      `[D]` bool.
    """
    at = self.places(image), self.columns(finding)
    return self.labels[at] | self.unknown[at]

  def scores_of(self, image: np.ndarray, finding: np.ndarray) -> np.ndarray:
    """Return the scores of pairs of image and finding.

    Args:
      image: `[D]` names.
      finding: `[D]` names.

    Returns:
      `[D]` float64.
    """
    return self.scores[self.places(image), self.columns(finding)]


def plain_names(image: np.ndarray) -> np.ndarray:
  """Return names of images without the endings of their files.

  Args:
    image: `[N]` names.

  Returns:
    `[N]` str.
  """
  return np.array([_ENDING.sub("", name) for name in image.tolist()], str)


def make_images(
  image: Sequence[str] | np.ndarray,
  patient: Sequence[Any] | np.ndarray,
  labels: ArrayLike,
  scores: ArrayLike,
  names: Sequence[str],
  *,
  view: Sequence[str] | np.ndarray | None = None,
  sex: Sequence[str] | np.ndarray | None = None,
  age: Sequence[int] | np.ndarray | None = None,
  data_set: Sequence[str] | np.ndarray | None = None,
  unscored: Collection[str] = (),
) -> ScoredImages:
  """Build `ScoredImages` from columns, once they are checked.

  Args:
    image: `[N]` names.
    patient: `[N]` patient of each image, kept as text.
    labels: `[N, K]` of 0 and 1, NaN where unknown.
    scores: `[N, K]` finite, higher means more likely; logits will do.
    names: `[K]` distinct names of the findings.
    view: `[N]` `AP` or `PA`; None means that no view is known.
    sex: `[N]` `F` or `M`; None means that no sex is known.
    age: `[N]` years; None means that no age is known.
    data_set: `[N]` names of joined sets; None means that there is one.
    unscored: findings without scores; what their columns hold is not read.

  Returns:
    The `ScoredImages`.

  Raises:
    ValueError: if labels, scores or names cannot be scored, see
      `classification.check_scores`.
  """
  unknown = unknown_labels(labels)
  labels, scores = check_scores(labels, scores, names, unscored=unscored)
  num = len(labels)
  return ScoredImages(
    np.asarray(image, str),
    np.asarray(patient, str),
    labels,
    scores,
    tuple(names),
    np.full(num, "") if view is None else np.asarray(view, str),
    np.full(num, "") if sex is None else np.asarray(sex, str),
    np.full(num, -1) if age is None else np.asarray(age, int),
    unknown,
    np.full(num, "") if data_set is None else np.asarray(data_set, str),
  )
