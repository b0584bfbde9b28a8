"""When a finding counts as predicted: the score thresholds.

If the predictions bring no threshold for a finding, it is the score with the
highest TPR - FPR (Youden 1950) on the images of the *other* patients, dealt
into folds as in `threshold_choice.crossfit`.
"""

from collections.abc import Collection, Mapping, Sequence
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
    given: findings whose thresholds came with the predictions.
  """

  predicted: np.ndarray
  thresholds: dict[str, list[float]]
  rule: str
  given: tuple[str, ...] = ()

  def of_rows(
    self, images: ScoredImages, table: LocalizationTable
  ) -> np.ndarray:
    """Return whether each row's finding is predicted of its image.

    Args:
      images: the images decided on.
      table: one row per boxed pair.

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
    thresholds: finding -> the score from which on it is predicted. Those of
      findings that are not in it are chosen on other patients.
    folds: number of folds of patients.
    repeats: how many times patients are dealt.
    seed: of the random deals.

  Returns:
    The `Decisions`; R = 1 where every finding with scores has a given
    threshold. A finding without scores is predicted nowhere.
  """
  without = images.unscored()
  scored = [name for name in images.names if name not in without]
  cuts = {n: float(t) for n, t in (thresholds or {}).items() if n in scored}
  chosen = [name for name in scored if name not in cuts]
  # Nothing is dealt where nothing is chosen.
  if cuts and not chosen:
    repeats = 1
  predicted = np.zeros((repeats, *images.scores.shape), bool)
  used: dict[str, set[float]] = {name: set() for name in images.names}
  for name, cut in cuts.items():
    k = images.names.index(name)
    predicted[:, :, k] = images.scores[:, k] >= cut
    used[name] = {cut}
  for repeat in range(repeats if chosen else 0):
    fold = folds_by_patient(images.patient, folds=folds, seed=(seed, repeat))
    for held in np.unique(fold):
      out = fold == held
      known = ~out[:, None] & ~images.unknown
      for name in chosen:
        k = images.names.index(name)
        rest = known[:, k]
        cut = youden_threshold(images.labels[rest, k], images.scores[rest, k])
        predicted[repeat, out, k] = images.scores[out, k] >= cut
        used[name] |= {cut} - {np.inf}
  return Decisions(
    predicted,
    {name: sorted(found) for name, found in used.items()},
    _rule(list(cuts), chosen),
    tuple(cuts),
  )


def _rule(given: Sequence[str], chosen: Collection[str]) -> str:
  """Return in words how the thresholds were chosen."""
  came = "thresholds that came with the predictions"
  youden = "the highest TPR - FPR (Youden) on other patients' images"
  if not given and not chosen:
    return "none, since no finding has scores"
  if not given:
    return f"per finding, {youden}"
  if not chosen:
    return came
  return f"{came} for {', '.join(given)}; for each other finding, {youden}"
