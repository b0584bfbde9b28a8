"""Robust Detection Outcome (Meissen et al., MIDL 2023): where, shape, what.

Predicted and true boxes of an image are paired by the Hungarian method with
cost `-GIoU - w [same finding]`, w the Matthews correlation (clipped at 0) of
the findings predicted and true per image. Then, of all pairs,

- localisation: mean of `2^-d`, d the squared distance of the centres in units
  of the true box's width and height;
- shape: mean IoU of the boxes laid onto a common corner;
- classification: Matthews correlation of the pairs' findings, at least 0;

each times the share `pairs / (pairs + surplus + missed)`, and as `total` their
harmonic mean. As the authors' package `rodeometric`, except that a finding
with boxes but without any pair has 0, not NaN, and that images can be weighed.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from chexjax.evaluation.measures import overlap

SCORES = ("total", "localisation", "shape", "classification")
ALL = "all"
_EPS = 1e-6  # of the harmonic mean, as the authors' code


class Outcome(NamedTuple):
  """The pairing of all images.

  Attributes:
    image: `[M]` int, the image of each pair.
    where: `[M]` float64 in 0..1, of the centres.
    shape: `[M]` float64 in 0..1.
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


def generalized_iou(a, b):
  """Give GIoU (Rezatofighi et al. 2019) of boxes `[..., 4]`, in -1..1."""
  shared = overlap.intersection(a, b)
  union = overlap.area(a) + overlap.area(b) - shared
  hull = np.concatenate(
    [np.minimum(a[..., :2], b[..., :2]), np.maximum(a[..., 2:], b[..., 2:])], -1
  )
  size = overlap.area(hull)
  return shared / union - (size - union) / size


def _present(image, finding, images, kinds):
  grid = np.zeros((images, kinds), bool)
  grid[image, finding] = True
  return grid.ravel()


def _closeness(guess, true):
  """Give `[M]` where and `[M]` shape scores of paired boxes."""
  size = true[:, 2:] - true[:, :2]
  gap = (guess[:, :2] + guess[:, 2:] - true[:, :2] - true[:, 2:]) / 2 / size
  corner = [
    np.concatenate([np.zeros_like(size), box[:, 2:] - box[:, :2]], 1)
    for box in (guess, true)
  ]
  return np.exp2(-(gap**2).sum(1)), overlap.iou(*corner)


def pair(guess, true, num_images, kinds):
  """Pair predicted with true boxes, image by image.

  Args:
    guess: `[P]` int image, `[P]` int finding, `[P, 4]` boxes of positive size.
    true: the same of the true boxes.
    num_images: number of images.
    kinds: number of findings.

  Returns:
    An `Outcome`.
  """
  from sklearn.metrics import matthews_corrcoef  # See classification.py.

  present = [_present(s[0], s[1], num_images, kinds) for s in (guess, true)]
  one_kind = any(side.all() or not side.any() for side in present)
  weight = 0.0 if one_kind else max(0.0, float(matthews_corrcoef(*present)))
  pairs = []
  for image in np.intersect1d(guess[0], true[0]):
    g, t = (np.flatnonzero(side[0] == image) for side in (guess, true))
    near = generalized_iou(guess[2][g][:, None], true[2][t][None])
    same = guess[1][g][:, None] == true[1][t][None]
    i, j = linear_sum_assignment(-near - weight * same)
    pairs.append(np.stack([g[i], t[j]]))
  g, t = np.concatenate([np.zeros((2, 0), int), *pairs], axis=1)
  where, shape = _closeness(guess[2][g], true[2][t])
  left = [
    np.stack([side[0], side[1]], 1)[~np.isin(np.arange(len(side[0])), used)]
    for side, used in ((guess, g), (true, t))
  ]
  return Outcome(
    true[0][t],
    where,
    shape,
    true[1][t],
    guess[1][g] == true[1][t],
    *left,
    kinds,
  )


def _matthews(right, wrong, kinds):
  """Correlate one-hot findings of pairs, by the weight right and wrong."""
  total = right + wrong
  apart = right * (kinds - 1) + wrong * (kinds - 2)
  part = right * apart - wrong**2
  return np.divide(
    part, total**2 * (kinds - 1), out=np.zeros_like(part), where=total > 0
  )


def scores(outcome, weights, finding=None):
  """Compute the sub-scores and their harmonic mean.

  Args:
    outcome: of `pair`.
    weights: `[B, images]`, how often each image counts.
    finding: int, for one finding: pairs by their true box, surplus boxes by
      their own finding; or None for all together.

  Returns:
    For each of `SCORES` `[B]` in 0..1, NaN where there is no box at all.
  """
  weights = np.asarray(weights, np.float64)

  def some(of):
    return slice(None) if finding is None else of == finding

  mine = some(outcome.true)
  pair_weight = weights[:, outcome.image[mine]]
  paired = pair_weight.sum(1)
  right = pair_weight @ outcome.same[mine].astype(float)
  left = sum(
    weights[:, side[some(side[:, 1]), 0]].sum(1)
    for side in (outcome.surplus, outcome.missed)
  )
  whole = paired + left

  def share(part):
    return np.divide(
      part, whole, out=np.full_like(part, np.nan), where=whole > 0
    )

  kind = _matthews(right, paired - right, outcome.kinds)
  parts = {
    "localisation": share(pair_weight @ outcome.where[mine]),
    "shape": share(pair_weight @ outcome.shape[mine]),
    "classification": share(paired * np.maximum(kind, 0)),
  }
  inverse = sum(1 / (values + _EPS) for values in parts.values())
  lowest = np.min(list(parts.values()), 0)  # NaN where there is no box
  return {"total": np.where(lowest == 0, 0.0, 3 / inverse), **parts}
