"""When a finding counts as predicted: the score thresholds.

If the predictions bring no thresholds, each finding's is the one with the
highest TPR - FPR (Youden 1950) on the images of the *other* patients, dealt
into folds as in `threshold_choice.crossfit`.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.protocols.threshold_choice import folds_by_patient


class Decisions(NamedTuple):
  """Which findings are predicted of which image.

  Attributes:
    predicted: `[R, N, K]` bool, R times anew.
    thresholds: finding -> sorted list of the thresholds in use; empty where
      none could be chosen, and nothing is predicted.
    rule: how they were chosen, in words.
  """

  predicted: np.ndarray
  thresholds: dict[str, list[float]]
  rule: str

  def of_rows(
    self, images: ScoredImages, table: LocalizationTable
  ) -> np.ndarray:
    """Return whether the finding of each true box is predicted of its image.

    Args:
      images: the images decided on.
      table: one row per true box.

    Returns:
      `[R, P]` bool.

    Raises:
      ValueError: if an image or a finding of the table has no scores.
    """
    if not len(table.finding):
      return np.zeros((1, 0), bool)
    rows, columns = images.places(table.image), images.columns(table.finding)
    return self.predicted[:, rows, columns]


def youden_threshold(truth: ArrayLike, score: ArrayLike) -> float:
  """Return the score from which on to predict; of equally good ones, the top.

  Args:
    truth: `[N]` bool, whether the image is a positive.
    score: `[N]` finite.

  Returns:
    The score with the highest TPR - FPR; inf with positives only, or negatives
    only, since there is nothing to choose by. TPR and FPR are those of
    scikit-learn's `roc_curve`.
  """
  # Imported late: see `classification.classify`.
  from sklearn.metrics import roc_curve

  truth = np.asarray(truth, bool)
  if truth.all() or not truth.any():
    return np.inf
  fpr, tpr, thresholds = roc_curve(truth, score)
  return float(thresholds[np.argmax(np.round(tpr - fpr, 12))])


def decide(
  images: ScoredImages,
  *,
  thresholds: Mapping[str, float] | None = None,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
) -> Decisions:
  """Decide which findings are predicted of which image.

  Args:
    images: labels, scores and patients.
    thresholds: finding -> the score from which on it is predicted; None
      chooses them on other patients.
    folds: number of folds of patients.
    repeats: how many times patients are dealt.
    seed: of the random deals.

  Returns:
    The `Decisions`; with given thresholds, R = 1.
  """
  if thresholds is not None:
    return _with_thresholds(images, thresholds)
  predicted = np.zeros((repeats, *images.scores.shape), bool)
  used: dict[str, set[float]] = {name: set() for name in images.names}
  for repeat in range(repeats):
    fold = folds_by_patient(images.patient, folds=folds, seed=(seed, repeat))
    for held in np.unique(fold):
      out = fold == held
      for k, name in enumerate(images.names):
        cut = youden_threshold(images.labels[~out, k], images.scores[~out, k])
        predicted[repeat, out, k] = images.scores[out, k] >= cut
        used[name] |= {cut} - {np.inf}
  return Decisions(
    predicted,
    {name: sorted(cuts) for name, cuts in used.items()},
    "per finding, the highest TPR - FPR (Youden) on other patients' images",
  )


def _with_thresholds(
  images: ScoredImages, thresholds: Mapping[str, float]
) -> Decisions:
  """Decide with thresholds that came with the predictions."""
  cuts = np.array([thresholds[name] for name in images.names], np.float64)
  return Decisions(
    (images.scores >= cuts)[None],
    {name: [float(thresholds[name])] for name in images.names},
    "thresholds that came with the predictions",
  )
