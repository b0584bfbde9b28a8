"""When a finding counts as predicted: the score thresholds.

Unless the predictions bring thresholds of their own, each finding's is the
one with the highest TPR - FPR (Youden, 1950) on the images of the *other*
patients, dealt into folds as in `protocols.crossfit`.
"""

from typing import NamedTuple

import numpy as np

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


def youden_threshold(truth, score):
  """Give the score from which on to predict, the highest of equally good ones.

  With positives only, or negatives only, there is none: inf.
  """
  from sklearn.metrics import roc_curve  # See classification.py.

  truth = np.asarray(truth, bool)
  if truth.all() or not truth.any():
    return np.inf
  fpr, tpr, thresholds = roc_curve(truth, score)
  return float(thresholds[np.argmax(np.round(tpr - fpr, 12))])


def decide(images, *, folds=5, repeats=2, seed=0):
  """Predict with thresholds chosen on other patients.

  Args:
    images: an `Images`.
    folds: number of folds.
    repeats: number of times to deal anew.
    seed: int.
  """
  num, count = images.scores.shape
  predicted = np.zeros((repeats, num, count), bool)
  used = {name: set() for name in images.names}
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


def decide_by(images, thresholds):
  """Predict with thresholds that came with the predictions.

  Args:
    images: an `Images`.
    thresholds: finding -> the score from which on it is predicted.
  """
  cuts = np.array([thresholds[name] for name in images.names], np.float64)
  return Decisions(
    (images.scores >= cuts)[None],
    {name: [float(thresholds[name])] for name in images.names},
    "thresholds that came with the predictions",
  )


def decide_for(images, thresholds, options):
  """Decide with given thresholds, or with chosen ones; None without images."""
  if images is None:
    return None
  if thresholds is not None:
    return decide_by(images, thresholds)
  return decide(images, **options)


def predicted_rows(images, table, decisions):
  """Give `[R, P]` bool: whether each row's finding is predicted; or None."""
  if decisions is None:
    return None
  if not len(table.finding):
    return np.zeros((1, 0), bool)
  rows, columns = images.places(table.image), images.columns(table.finding)
  return decisions.predicted[:, rows, columns]
