"""Robust Detection Outcome (Meissen et al., MIDL 2023): where, shape, what.

Predicted and true boxes of an image are paired by the Hungarian method with
cost `-GIoU - w [same finding]`. w is the Matthews correlation, at least 0, of
the findings predicted and true per image. Three sub-scores follow:

- localisation: mean over the pairs of `2^-d`, d the squared distance of the
  centres in units of the true box's width and height;
- shape: mean IoU of the pairs' boxes, laid onto a common corner;
- classification: Matthews correlation of the pairs' findings, at least 0.

Each is multiplied by the share `pairs / (pairs + surplus + missed)`; `total`
is their harmonic mean. As the authors' package `rodeometric`, except that a
finding with boxes but without any pair has 0, not NaN, and that images can
have weights.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from chexjax.evaluation.measures import overlap

SCORES = ("total", "localisation", "shape", "classification")
ALL = "all"
_EPS = 1e-6  # of the harmonic mean, as in the authors' code

# `[P]` int image, `[P]` int finding, `[P, 4]` boxes of positive size.
NumberedBoxes = tuple[np.ndarray, np.ndarray, np.ndarray]


class Outcome(NamedTuple):
  """The pairing of all images.

  Attributes:
    image: `[M]` int, the image of each pair.
    where: `[M]` float64 in 0..1, how near the centres are.
    shape: `[M]` float64 in 0..1, how alike the shapes are.
    true: `[M]` int, finding of the pair's true box.
    same: `[M]` bool, whether the predicted finding is the same.
    surplus: `[S, 2]` int, image and finding of unpaired predicted boxes.
    missed: `[S, 2]` int, image and finding of unpaired true boxes.
    kinds: number of findings.
  """

  image: np.ndarray
  where: np.ndarray
  shape: np.ndarray
  true: np.ndarray
  same: np.ndarray
  surplus: np.ndarray
  missed: np.ndarray
  kinds: int


def generalized_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
  """Compute the generalised IoU (Rezatofighi et al. 2019).

  Args:
    a: `[..., 4]` boxes of positive size.
    b: `[..., 4]` boxes of positive size, broadcast against `a`.

  Returns:
    `[...]` float64 in -1..1. As the diagonal of
    `torchvision.ops.generalized_box_iou`.
  """
  shared = overlap.intersection(a, b)
  union = overlap.area(a) + overlap.area(b) - shared
  hull = np.concatenate(
    [np.minimum(a[..., :2], b[..., :2]), np.maximum(a[..., 2:], b[..., 2:])], -1
  )
  size = overlap.area(hull)
  return shared / union - (size - union) / size


def _present(side: NumberedBoxes, images: int, kinds: int) -> np.ndarray:
  """Return `[images * kinds]` bool: whether an image has the finding."""
  grid = np.zeros((images, kinds), bool)
  grid[side[0], side[1]] = True
  return grid.ravel()


def _finding_weight(
  guess: NumberedBoxes, true: NumberedBoxes, images: int, kinds: int
) -> float:
  """Return the Matthews correlation of the findings per image, at least 0."""
  # Imported late: see `classification.classify`.
  from sklearn.metrics import matthews_corrcoef

  present = [_present(side, images, kinds) for side in (guess, true)]
  if any(side.all() or not side.any() for side in present):
    return 0.0
  return max(0.0, float(matthews_corrcoef(*present)))


def _closeness(
  guess: np.ndarray, true: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Return `[M]` where and `[M]` shape scores of paired boxes."""
  size = true[:, 2:] - true[:, :2]
  gap = (guess[:, :2] + guess[:, 2:] - true[:, :2] - true[:, 2:]) / 2 / size
  corner = [
    np.concatenate([np.zeros_like(size), box[:, 2:] - box[:, :2]], 1)
    for box in (guess, true)
  ]
  return np.exp2(-(gap**2).sum(1)), overlap.iou(*corner)


def _matches(
  guess: NumberedBoxes, true: NumberedBoxes, weight: float
) -> tuple[np.ndarray, np.ndarray]:
  """Return `[M]` rows of `guess` and `[M]` rows of `true` that are paired."""
  pairs = []
  for image in np.intersect1d(guess[0], true[0]):
    g, t = (np.flatnonzero(side[0] == image) for side in (guess, true))
    near = generalized_iou(guess[2][g][:, None], true[2][t][None])
    same = guess[1][g][:, None] == true[1][t][None]
    i, j = linear_sum_assignment(-near - weight * same)
    pairs.append(np.stack([g[i], t[j]]))
  g, t = np.concatenate([np.zeros((2, 0), int), *pairs], axis=1)
  return g, t


def pair(
  guess: NumberedBoxes, true: NumberedBoxes, num_images: int, kinds: int
) -> Outcome:
  """Pair predicted with true boxes, image by image.

  Args:
    guess: the predicted boxes: `[P]` int image, `[P]` int finding, `[P, 4]`
      boxes of positive size.
    true: the same of the true boxes.
    num_images: number of images.
    kinds: number of findings.

  Returns:
    An `Outcome`.
  """
  weight = _finding_weight(guess, true, num_images, kinds)
  g, t = _matches(guess, true, weight)
  where, shape = _closeness(guess[2][g], true[2][t])
  surplus, missed = (
    np.stack([side[0], side[1]], 1)[~np.isin(np.arange(len(side[0])), used)]
    for side, used in ((guess, g), (true, t))
  )
  return Outcome(
    image=true[0][t],
    where=where,
    shape=shape,
    true=true[1][t],
    same=guess[1][g] == true[1][t],
    surplus=surplus,
    missed=missed,
    kinds=kinds,
  )


def _matthews(right: np.ndarray, wrong: np.ndarray, kinds: int) -> np.ndarray:
  """Return the correlation of one-hot findings, by weight right and wrong.

  It is NaN where there is only one finding.
  """
  total = right + wrong
  if kinds < 2:  # No finding can be taken for another one.
    return np.full(total.shape, np.nan)
  apart = right * (kinds - 1) + wrong * (kinds - 2)
  part = right * apart - wrong**2
  return np.divide(
    part, total**2 * (kinds - 1), out=np.zeros_like(part), where=total > 0
  )


def scores(
  outcome: Outcome, weights: ArrayLike, *, finding: int | None = None
) -> dict[str, np.ndarray]:
  """Compute the sub-scores and their harmonic mean.

  Args:
    outcome: of `pair`.
    weights: `[B, images]`, how often each image counts.
    finding: number of a finding: pairs count by their true box, surplus boxes
      by their own finding; None scores all findings together.

  Returns:
    For each of `SCORES`, `[B]` in 0..1; NaN where there is no box at all.
  """
  weights = np.asarray(weights, np.float64)

  def of_finding(kind: np.ndarray) -> np.ndarray:
    return np.full(kind.shape, True) if finding is None else kind == finding

  mine = of_finding(outcome.true)
  pair_weight = weights[:, outcome.image[mine]]
  paired = pair_weight.sum(1)
  right = pair_weight @ outcome.same[mine].astype(float)
  surplus, missed = (
    weights[:, side[of_finding(side[:, 1]), 0]].sum(1)
    for side in (outcome.surplus, outcome.missed)
  )
  whole = paired + (surplus + missed)

  def share(part: np.ndarray) -> np.ndarray:
    return np.divide(
      part, whole, out=np.full_like(part, np.nan), where=whole > 0
    )

  kind = _matthews(right, paired - right, outcome.kinds)
  parts = {
    "localisation": share(pair_weight @ outcome.where[mine]),
    "shape": share(pair_weight @ outcome.shape[mine]),
    "classification": share(paired * np.maximum(kind, 0)),
  }
  return {"total": _harmonic_mean(parts), **parts}


def _harmonic_mean(parts: dict[str, np.ndarray]) -> np.ndarray:
  """Return `[B]` in 0..1; NaN where there is no box."""
  inverse = np.sum([1 / (values + _EPS) for values in parts.values()], 0)
  lowest = np.min(list(parts.values()), 0)
  return np.where(lowest == 0, 0.0, 3 / inverse)
