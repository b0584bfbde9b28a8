"""The loss of Li et al. 2018 for films with boxes."""

import jax
import jax.numpy as jnp

from chexjax.systems.base import Intermediates, Truth, balanced_loss
from chexjax.systems.li2018 import share_of_a_patch

BOX_WEIGHT = 5.0  # their lambda, of a film with a box beside one without


def boxes_loss(
  logits: jax.Array, found: Intermediates, truth: Truth
) -> jax.Array:
  """Compute the loss of `li2018_like`, and another where there is a box.

  With a box the probability is the product of p over the patches inside it and
  of 1 - p over those outside, each factor mapped to `[1 - share, 1]`, and the
  loss 5 times that of a positive label. A box that the augmentation has moved
  out of the film counts as none.

  Args:
    logits: `[B, K]`.
    found: of `Li2018`; `patch` is read.
    truth: of the batch; without `boxes`, as for a film without any.

  Returns:
    `[B, K]`, at least 0.
  """
  plain = balanced_loss(logits, found, truth)
  if truth.boxes is None:
    return plain
  patch = found["patch"]
  rows, columns = patch.shape[2:]
  inside = cells_inside(truth.boxes, rows=rows, columns=columns)
  wrong = jnp.where(inside, 1 - patch, patch)
  log_score = jnp.log1p(-share_of_a_patch(rows * columns) * wrong).sum((2, 3))
  located = -BOX_WEIGHT * truth.beta_pos * truth.labels * log_score
  boxed = inside.any((2, 3)) & (truth.labels > 0)
  return jnp.where(boxed, located, plain)


def cells_inside(boxes: jax.Array, *, rows: int, columns: int) -> jax.Array:
  """Return which cells of a grid over the film lie in any of some boxes.

  A cell does if its centre does, or if it holds the centre of the box's visible
  part, so that a box smaller than a cell has one.

  Args:
    boxes: `[..., M, 4]` x1, y1, x2, y2 in fractions of the film; NaN for none.
    rows: of the grid.
    columns: of the grid.

  Returns:
    `[..., rows, columns]` bool; none is inside without a box in the film.
  """
  boxes = jnp.clip(boxes, 0, 1)[..., None]
  x1, y1, x2, y2 = (boxes[..., i, :] for i in range(4))

  def along(low: jax.Array, high: jax.Array, cells: int) -> jax.Array:
    place = jnp.arange(cells)
    centre = (place + 0.5) / cells
    holds = jnp.floor((low + high) / 2 * cells) == place
    # Also false of NaN.
    return (low < high) & (holds | ((low <= centre) & (centre < high)))

  inside = along(y1, y2, rows)[..., None] & along(x1, x2, columns)[..., None, :]
  return inside.any(-3)
