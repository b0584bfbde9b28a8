"""AUC and average precision of each finding, from any model's scores."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Classification(NamedTuple):
  """AUC and average precision of each finding; None where undefined.

  Attributes:
    auc: finding -> area under the ROC curve, in 0..1, or None.
    average_precision: finding -> average precision, in 0..1, or None. It
      depends on how frequent the finding is.
    positives: finding -> number of images labelled with it.
    negatives: finding -> number of the other images.
    undefined: finding -> the reason why its AUC is None.
  """

  auc: dict[str, float | None]
  average_precision: dict[str, float | None]
  positives: dict[str, int]
  negatives: dict[str, int]
  undefined: dict[str, str]


def mean_defined(values: Iterable[float | None]) -> tuple[float | None, int]:
  """Return the mean of the values that are not None.

  Args:
    values: figures, None where undefined.

  Returns:
    The mean, None without any value, and the number of values in it.
  """
  defined = [value for value in values if value is not None]
  return (float(np.mean(defined)) if defined else None), len(defined)


def check_scores(
  labels: ArrayLike, scores: ArrayLike, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
  """Return labels as bool and scores as float64, once they are checked.

  Args:
    labels: `[N, K]` of 0 and 1.
    scores: `[N, K]` finite, higher means more likely; logits will do.
    names: `[K]` distinct names of the findings.

  Returns:
    `[N, K]` bool and `[N, K]` float64.

  Raises:
    ValueError: if a shape is wrong, a name repeats, a label is neither 0 nor
      1, or a score is not finite.
  """
  labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
  want = (len(labels), len(names))
  if labels.shape != want or scores.shape != want:
    raise ValueError(
      f"want labels and scores [N, {len(names)}] for {len(names)} names, got "
      f"{labels.shape} and {scores.shape}"
    )
  if len(set(names)) != len(names):
    raise ValueError(f"names repeat: {list(names)}")
  if not np.isin(labels, (0, 1)).all():
    raise ValueError(f"labels must be 0 or 1, got {np.unique(labels)[:5]}")
  bad = ~np.isfinite(scores).all(0)
  if bad.any():
    which = [name for name, b in zip(names, bad) if b]
    raise ValueError(f"scores of {which} are not all finite")
  return labels.astype(bool), scores


def classify(
  labels: ArrayLike, scores: ArrayLike, names: Sequence[str]
) -> Classification:
  """Compute AUC and average precision of every finding.

  They are scikit-learn's `roc_auc_score` and `average_precision_score`. A
  finding without a positive or without a negative image has neither: its
  figures are None, and `undefined` says why.

  Args:
    labels: `[N, K]` of 0 and 1.
    scores: `[N, K]` finite, higher means more likely; logits will do.
    names: `[K]` distinct names of the findings.

  Returns:
    A `Classification`, its findings in the order of `names`.

  Raises:
    ValueError: if labels, scores or names cannot be scored, see
      `check_scores`.
  """
  # Imported late: it takes longer to load than JAX, and a run starts without.
  from sklearn.metrics import average_precision_score, roc_auc_score

  labels, scores = check_scores(labels, scores, names)
  result = Classification({}, {}, {}, {}, {})
  for name, truth, score in zip(names, labels.T, scores.T):
    positives = int(truth.sum())
    result.positives[name] = positives
    result.negatives[name] = truth.size - positives
    lacking = "positive" if not positives else "negative"
    if 0 < positives < truth.size:
      result.auc[name] = float(roc_auc_score(truth, score))
      precision = float(average_precision_score(truth, score))
      result.average_precision[name] = precision
    else:
      result.auc[name] = result.average_precision[name] = None
      result.undefined[name] = f"no {lacking} among {truth.size} images"
  return result
