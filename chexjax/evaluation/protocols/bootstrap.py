"""Intervals by resampling patients, not images: a patient's films resemble.

A draw takes as many patients as there are, with replacement; it is kept as how
often each one was taken. All figures share the draws, so that the difference
of two models, or of two findings, is paired.
"""

from typing import NamedTuple

import numpy as np

DRAWS = 1000
LEVEL = 0.95
_CHUNK = 100  # draws at a time: some 10 MB of weights


class Draws(NamedTuple):
  """How often each patient is taken in each draw.

  Attributes:
    patients: `[M]` str, sorted.
    counts: `[B, M]` int32.
  """

  patients: np.ndarray
  counts: np.ndarray

  def weights(self, patients):
    """Give the `[B, P]` weights of rows by their patient; raise on others."""
    return self.counts[:, self.places(patients)]

  def places(self, patients):
    """Give the `[P]` columns of rows' patients."""
    patients = np.asarray(patients, str)
    if not self.patients.size:
      return np.zeros(0, int)
    place = np.searchsorted(self.patients, patients)
    place = np.minimum(place, self.patients.size - 1)
    unknown = patients[self.patients[place] != patients]
    if unknown.size:
      raise ValueError(f"patient {unknown[0]!r} is not among those drawn from")
    return place


def draw_patients(patients, *, draws=DRAWS, seed=0):
  """Draw patients; the same set and seed give the same draws.

  Args:
    patients: `[N]`, repeated as rows have it.
    draws: number of draws; 0 for none.
    seed: int.
  """
  names = np.unique(np.asarray(patients, str))
  num, rng = names.size, np.random.default_rng(seed)
  counts = [
    np.bincount(rng.integers(0, num, num), minlength=num)
    if num
    else np.zeros(0, int)
    for _ in range(draws)
  ]
  # With no draw there is nothing that says how many patients there are.
  return Draws(names, np.array(counts, np.int32).reshape(draws, num))


def mean_draws(values, weights):
  """Give `[B]` weighted means of `[P]` values; NaN where nothing is drawn."""
  weights = np.asarray(weights, np.float64)
  return _divide(weights @ np.asarray(values, np.float64), weights.sum(1))


def _divide(part, whole):
  return np.divide(
    part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0
  )


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


def rank(truth, score):
  """Sort the images of one finding: `[N]` bool and `[N]` finite."""
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


def _sums(weights):
  """Give `[B, n + 1]` sums of the first 0, 1, ... n weights."""
  total = np.zeros((weights.shape[0], weights.shape[1] + 1), np.int64)
  np.cumsum(weights, axis=1, out=total[:, 1:])
  return total


def ranking_draws(ranking, counts, places):
  """Compute a finding's AUC and average precision in every draw.

  Ties count half in the AUC; a precision is taken at the end of a tie: as
  scikit-learn's `roc_auc_score` and `average_precision_score` with weights.

  Args:
    ranking: a `Ranking`.
    counts: `[B, M]` int, of `Draws`.
    places: `[N]` columns of the images' patients.

  Returns:
    `[B]` AUC and `[B]` average precision; NaN where a kind is not drawn.
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
    auc[at : at + _CHUNK] = _divide(pairs / 2, num * other)
    hits = num[:, None] - positives[:, ranking.first]
    shown = hits + other[:, None] - below
    share = np.divide(hits, shown, out=np.zeros(hits.shape), where=shown > 0)
    total = _divide((weight * share).sum(1), num)
    precision[at : at + _CHUNK] = np.where(other > 0, total, np.nan)
  return auc, precision


def classification_draws(labels, scores, patients, draws):
  """Give `[B, K]` AUC and `[B, K]` average precision in every draw.

  Args:
    labels: `[N, K]` of 0 and 1.
    scores: `[N, K]` finite.
    patients: `[N]`.
    draws: of `draw_patients`.
  """
  places = draws.places(patients)
  both = [
    ranking_draws(rank(truth, score), draws.counts, places)
    for truth, score in zip(np.asarray(labels).T, np.asarray(scores).T)
  ]
  return tuple(np.stack(side, 1) for side in zip(*both))


def nan_mean(samples):
  """Average `[B, K]` over K, leaving out NaN; NaN where all are."""
  samples = np.asarray(samples, np.float64)
  some = np.isfinite(samples)
  return _divide(np.where(some, samples, 0).sum(-1), some.sum(-1))


def interval(samples, level=LEVEL):
  """Give `[low, high]`, the middle share of the draws; None without any.

  Args:
    samples: `[B]`; NaN, where a draw leaves a figure undefined, is left out.
    level: share of the draws between the two.
  """
  samples = np.asarray(samples, np.float64)
  samples = samples[np.isfinite(samples)]
  if not samples.size:
    return None
  tail = (1 - level) / 2
  return [float(q) for q in np.quantile(samples, [tail, 1 - tail])]
