"""Intervals by resampling patients, not images: a patient's films are alike.

A draw takes as many patients as there are, with replacement. It is kept as how
often each patient is taken. All figures share the draws, so that the
difference of two models, or of two findings, is paired.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

DRAWS = 1000
LEVEL = 0.95

# `[low, high]`, or None where a figure is undefined in every draw.
Interval = list[float] | None


class Draws(NamedTuple):
  """How often each patient is taken in each draw.

  Attributes:
    patients: `[M]` str, sorted.
    counts: `[B, M]` int32.
  """

  patients: np.ndarray
  counts: np.ndarray

  def weights(self, patients: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Return how often each row is taken in each draw.

    Args:
      patients: `[P]`, of the rows.

    Returns:
      `[B, P]` int32.

    Raises:
      ValueError: if a patient is not among those drawn from.
    """
    return self.counts[:, self.places(patients)]

  def places(self, patients: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Return the columns of `counts` that belong to rows.

    Args:
      patients: `[P]`, of the rows.

    Returns:
      `[P]` int.

    Raises:
      ValueError: if a patient is not among those drawn from.
    """
    patients = np.asarray(patients, str)
    if not self.patients.size:
      return np.zeros(0, int)
    place = np.searchsorted(self.patients, patients)
    place = np.minimum(place, self.patients.size - 1)
    unknown = patients[self.patients[place] != patients]
    if unknown.size:
      raise ValueError(f"patient {unknown[0]!r} is not among those drawn from")
    return place


def draw_patients(
  patients: Sequence[Any] | np.ndarray, *, draws: int = DRAWS, seed: int = 0
) -> Draws:
  """Draw patients; the same set and seed give the same draws.

  Args:
    patients: `[N]`, with repeats, as the rows have them.
    draws: number of draws, B; 0 for none.
    seed: of the random draws.

  Returns:
    The `Draws`.
  """
  names = np.unique(np.asarray(patients, str))
  num, rng = names.size, np.random.default_rng(seed)
  counts = [
    np.bincount(rng.integers(0, num, num), minlength=num)
    if num
    else np.zeros(0, int)
    for _ in range(draws)
  ]
  # Without a draw, the list does not show how many patients there are.
  return Draws(names, np.array(counts, np.int32).reshape(draws, num))


def mean_draws(values: ArrayLike, weights: ArrayLike) -> np.ndarray:
  """Compute the mean of rows in every draw.

  Args:
    values: `[P]`.
    weights: `[B, P]`, of `Draws.weights`.

  Returns:
    `[B]` float64; NaN where no row is drawn.
  """
  weights = np.asarray(weights, np.float64)
  return defined_ratio(weights @ np.asarray(values, np.float64), weights.sum(1))


def defined_ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
  """Return `part / whole`, and NaN where `whole` is 0.

  Args:
    part: `[...]`.
    whole: `[...]`, at least 0.

  Returns:
    `[...]` float64.
  """
  return np.divide(
    part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0
  )


def nan_mean(samples: ArrayLike) -> np.ndarray:
  """Average over findings; what is undefined is left out.

  Args:
    samples: `[B, K]`, NaN where undefined.

  Returns:
    `[B]` float64; NaN where all are undefined. As `numpy.nanmean(axis=1)`,
    without its warning.
  """
  samples = np.asarray(samples, np.float64)
  some = np.isfinite(samples)
  return defined_ratio(np.where(some, samples, 0).sum(-1), some.sum(-1))


def interval(samples: ArrayLike, *, level: float = LEVEL) -> Interval:
  """Return the middle share of the draws (percentile interval, Efron 1979).

  Args:
    samples: `[B]`; NaN, where a draw leaves a figure undefined, is left out.
    level: share of the draws between the two ends, in 0..1.

  Returns:
    `[low, high]`; None without a defined sample.
  """
  every = np.asarray(samples, np.float64)
  defined = every[np.isfinite(every)]
  if not defined.size:
    return None
  tail = (1 - level) / 2
  return [float(q) for q in np.quantile(defined, [tail, 1 - tail])]
