"""AUC and average precision of each finding, from any model's scores."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

NO_SCORES = "no scores"


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


def unknown_labels(labels: ArrayLike) -> np.ndarray:
  """Return which labels are NaN: nobody says whether the finding is there.

  Args:
    labels: `[...]` of 0, 1 and NaN.

  Returns:
    `[...]` bool.
  """
  return np.isnan(np.asarray(labels, np.float64))


def check_scores(
  labels: ArrayLike,
  scores: ArrayLike,
  names: Sequence[str],
  *,
  unscored: Collection[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
  """Return labels as bool and scores as float64, once they are checked.

  Args:
    labels: `[N, K]` of 0 and 1, NaN where unknown.
    scores: `[N, K]` finite, higher means more likely; logits will do.
    names: `[K]` distinct names of the findings.
    unscored: findings without scores; what their columns hold is not read.

  Returns:
    `[N, K]` bool, False where unknown, and `[N, K]` float64, NaN in the
    columns without scores.

  Raises:
    ValueError: if a shape is wrong, a name repeats, a label is none of 0,
      1 and NaN, or a score is not finite.
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
  labels = np.where(unknown_labels(labels), 0, labels)
  if not np.isin(labels, (0, 1)).all():
    raise ValueError(f"labels must be 0 or 1, got {np.unique(labels)[:5]}")
  absent = np.isin(names, list(unscored))
  scores = np.where(absent, np.nan, scores)
  bad = ~np.isfinite(scores).all(0) & ~absent
  if bad.any():
    which = [name for name, b in zip(names, bad) if b]
    raise ValueError(f"scores of {which} are not all finite")
  return labels.astype(bool), scores


def classify(
  labels: ArrayLike,
  scores: ArrayLike,
  names: Sequence[str],
  *,
  missing: Mapping[str, str] | None = None,
) -> Classification:
  """Compute AUC and average precision of every finding.

  They are scikit-learn's `roc_auc_score` and `average_precision_score`. A
  finding without a positive or without a negative image, or without scores,
  has neither: its figures are None, and `undefined` says why. An image whose
  label is unknown does not count for that finding.

  Args:
    labels: `[N, K]` of 0 and 1, NaN where unknown.
    scores: `[N, K]` finite, higher means more likely; logits will do.
    names: `[K]` distinct names of the findings.
    missing: finding -> the reason why it has no figure, such as `NO_SCORES`;
      what its column of `scores` holds is not read.

  Returns:
    A `Classification`, its findings in the order of `names`.

  Raises:
    ValueError: if labels, scores or names cannot be scored, see
      `check_scores`.
  """
  # Imported late: it takes longer to load than JAX, and a run starts without.
  from sklearn.metrics import average_precision_score, roc_auc_score

  missing, known = missing or {}, ~unknown_labels(labels)
  labels, scores = check_scores(labels, scores, names, unscored=missing)
  result = Classification({}, {}, {}, {}, {})
  for k, name in enumerate(names):
    truth, score = labels[known[:, k], k], scores[known[:, k], k]
    positives = int(truth.sum())
    result.positives[name] = positives
    result.negatives[name] = truth.size - positives
    lacking = "positive" if not positives else "negative"
    if name not in missing and 0 < positives < truth.size:
      result.auc[name] = float(roc_auc_score(truth, score))
      precision = float(average_precision_score(truth, score))
      result.average_precision[name] = precision
    else:
      result.auc[name] = result.average_precision[name] = None
      why = missing.get(name, f"no {lacking} among {truth.size} images")
      result.undefined[name] = why
  return result
