"""AUC and average precision in every draw of patients.

The images of a finding are sorted once; a draw only changes their weights.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.measures.classification import unknown_labels
from chexjax.evaluation.protocols.bootstrap import Draws, defined_ratio

_CHUNK = 100  # draws at a time: some 10 MB of weights


class Ranking(NamedTuple):
  """One finding's images by score, sorted once for all draws.

  Attributes:
    positive: `[P]` places of the positives, by rising score.
    negative: `[N]` places of the negatives, by rising score.
    below: `[P]` number of negatives with a lower score.
    up_to: `[P]` number of negatives with a lower or the same score.
    first: `[P]` number of positives with a lower score.
  """

  positive: np.ndarray
  negative: np.ndarray
  below: np.ndarray
  up_to: np.ndarray
  first: np.ndarray


def rank(truth: ArrayLike, score: ArrayLike) -> Ranking:
  """Sort the images of one finding by their score.

  Args:
    truth: `[N]` bool, whether the image is a positive.
    score: `[N]` finite.

  Returns:
    The `Ranking`.
  """
  truth, score = np.asarray(truth, bool), np.asarray(score, np.float64)
  places = np.argsort(score, kind="stable")
  positive, negative = places[truth[places]], places[~truth[places]]
  high, low = score[positive], score[negative]
  return Ranking(
    positive,
    negative,
    np.searchsorted(low, high, "left"),
    np.searchsorted(low, high, "right"),
    np.searchsorted(high, high, "left"),
  )


def _sums(weights: np.ndarray) -> np.ndarray:
  """Return `[B, n + 1]` sums of the first 0, 1, ... n weights."""
  total = np.zeros((weights.shape[0], weights.shape[1] + 1), np.int64)
  np.cumsum(weights, axis=1, out=total[:, 1:])
  return total


def ranking_draws(
  ranking: Ranking, counts: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Compute a finding's AUC and average precision in every draw.

  Ties count half in the AUC; a precision is taken at the end of a tie. As
  scikit-learn's `roc_auc_score` and `average_precision_score` with weights.

  Args:
    ranking: the finding's images.
    counts: `[B, M]` int, of `Draws`.
    places: `[N]` columns of the images' patients.

  Returns:
    `[B]` AUC and `[B]` average precision; NaN where no positive or no negative
    is drawn.
  """
  auc, precision = np.full((2, len(counts)), np.nan)
  for at in range(0, len(counts), _CHUNK):
    part = counts[at : at + _CHUNK]
    negatives = _sums(part[:, places[ranking.negative]])
    weight = part[:, places[ranking.positive]].astype(np.int64)
    below = negatives[:, ranking.below]
    pairs = (weight * (below + negatives[:, ranking.up_to])).sum(1)
    positives = _sums(weight)
    num, other = positives[:, -1], negatives[:, -1]
    auc[at : at + _CHUNK] = defined_ratio(pairs / 2, num * other)
    hits = num[:, None] - positives[:, ranking.first]
    shown = hits + other[:, None] - below
    share = np.divide(hits, shown, out=np.zeros(hits.shape), where=shown > 0)
    total = defined_ratio((weight * share).sum(1), num)
    precision[at : at + _CHUNK] = np.where(other > 0, total, np.nan)
  return auc, precision


def classification_draws(
  labels: ArrayLike,
  scores: ArrayLike,
  patients: Sequence[Any] | np.ndarray,
  draws: Draws,
) -> tuple[np.ndarray, np.ndarray]:
  """Compute AUC and average precision of all findings in every draw.

  Args:
    labels: `[N, K]` of 0 and 1, NaN where unknown.
    scores: `[N, K]` finite; NaN in the column of a finding without scores.
    patients: `[N]`.
    draws: of `bootstrap.draw_patients`.

  Returns:
    `[B, K]` AUC and `[B, K]` average precision; NaN where undefined.
  """
  places = draws.places(patients)
  nothing = (np.full(len(draws.counts), np.nan),) * 2
  labels, known = np.asarray(labels), ~unknown_labels(labels)
  both = [
    nothing
    if np.isnan(score).any()
    else ranking_draws(
      rank(truth[here], score[here]), draws.counts, places[here]
    )
    for truth, score, here in zip(labels.T, np.asarray(scores).T, known.T)
  ]
  auc, precision = (np.stack(side, 1) for side in zip(*both))
  return auc, precision
