"""Who may choose the threshold: the boxes that are scored, or others.

`oracle` chooses, per finding, the candidate with the best mean IoU on the
very boxes it is scored on (as the paper does). `crossfit` chooses on the boxes
of the other patients. A candidate is a threshold or, image-blind, a constant
box: one of the true boxes (the medoid). The oracle flatters: never print it
alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

PROTOCOLS = ("oracle", "crossfit")


def folds_by_patient(
  patients: ArrayLike, *, folds: int = 5, seed: int | Sequence[int] = 0
) -> np.ndarray:
  """Deal patients into folds; all rows of a patient share one.

  The order of the rows does not matter. As scikit-learn's
  `GroupKFold(shuffle=True)`, except that folds hold equally many patients,
  not rows.

  Args:
    patients: `[P]`.
    folds: number of folds; with fewer patients, one fold each.
    seed: of the random deal.

  Returns:
    `[P]` int fold numbers.
  """
  names, number = np.unique(np.asarray(patients, str), return_inverse=True)
  place = np.random.default_rng(seed).permutation(names.size)
  return (place % max(1, min(folds, names.size)))[number]


def choose(iou: ArrayLike) -> int:
  """Return the candidate with the best mean IoU; the first among equals.

  Args:
    iou: `[P, C]` IoU of every row under every candidate.

  Returns:
    The number of the candidate.
  """
  return int(np.argmax(np.asarray(iou).mean(0)))


def oracle(iou: np.ndarray) -> np.ndarray:
  """Choose on the rows that are scored.

  Args:
    iou: `[P, C]` IoU of every row under every candidate, one finding.

  Returns:
    `[1, P]` int, the candidate for every row: everywhere the same one.
  """
  return np.full((1, len(iou)), choose(iou))


def crossfit(
  iou: ArrayLike,
  patients: ArrayLike,
  *,
  owners: ArrayLike | None = None,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
) -> np.ndarray | None:
  """Choose for every row on the rows of other patients.

  The finding's patients are dealt into folds, `repeats` times; the candidate
  of a fold is chosen on the rows outside it.

  Args:
    iou: `[P, C]` IoU of every row under every candidate, one finding.
    patients: `[P]`.
    owners: `[C]` patient that each candidate comes from, where it comes from
      one: a fold may not use a candidate of its own patients.
    folds: number of folds.
    repeats: how many times patients are dealt.
    seed: of the random deals.

  Returns:
    `[repeats, P]` int; None with fewer than two patients, since there is
    nobody else to choose on.
  """
  iou, patients = np.asarray(iou), np.asarray(patients, str)
  if np.unique(patients).size < 2:
    return None
  chosen = np.zeros((repeats, len(patients)), int)
  for repeat in range(repeats):
    fold = folds_by_patient(patients, folds=folds, seed=(seed, repeat))
    for held in np.unique(fold):
      rest = iou[fold != held].mean(0)
      if owners is not None:
        rest = np.where(np.isin(owners, patients[fold == held]), -1, rest)
      chosen[repeat, fold == held] = np.argmax(rest)
  return chosen
