"""AUC and average precision per finding, of any model's scores."""

from typing import NamedTuple

import numpy as np


class Classification(NamedTuple):
  """Per finding, in the order given; None where undefined.

  Attributes:
    auc: finding -> area under the ROC curve.
    average_precision: finding -> average precision (depends on prevalence).
    positives: finding -> number of images labelled with it.
    negatives: finding -> number of the others.
    undefined: finding -> why its AUC is None.
  """

  auc: dict[str, float | None]
  average_precision: dict[str, float | None]
  positives: dict[str, int]
  negatives: dict[str, int]
  undefined: dict[str, str]


def mean_defined(values):
  """Average what is not None; None when nothing is.

  Returns:
    The mean and the number of values in it.
  """
  values = [value for value in values if value is not None]
  return (float(np.mean(values)) if values else None), len(values)


def check_scores(labels, scores, names):
  """Give labels as bool and scores as float64; raise on what cannot be scored.

  Args:
    labels: `[N, K]` of 0 and 1.
    scores: `[N, K]` finite, higher means more likely; logits will do.
    names: `[K]` distinct names.
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


def classify(labels, scores, names):
  """Compute AUC and average precision of every finding (scikit-learn).

  A finding without a positive or without a negative has neither: None, with
  the reason in `undefined`.

  Args:
    labels: `[N, K]` of 0 and 1.
    scores: `[N, K]` finite, higher means more likely; logits will do.
    names: `[K]` distinct names.

  Returns:
    A `Classification`.
  """
  # Here, since it takes longer to load than JAX, and a run starts without.
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
