"""Grad-CAM and Grad-CAM++: how features matter to scores, as maps."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_shape

Head = Callable[[jax.Array], jax.Array]


def grad_cam(head: Head, features: jax.Array) -> jax.Array:
  """Weigh feature maps by the mean of each score's gradient.

  Args:
    head: from features `[h, w, C]` to scores `[K]`, such as logits.
    features: `[h, w, C]` of one image.

  Returns:
    `[K, h, w]`, at least 0, of no fixed scale (Selvaraju et al. 2017). Of a
    mean and a linear layer it is the class activation map, negative values
    cut off, divided by the number of cells.

  Raises:
    ValueError: if `features` or the scores have another shape.
  """
  gradients = _gradients(head, features)
  return _weighted(gradients.mean((1, 2)), features)


def grad_cam_plus_plus(head: Head, features: jax.Array) -> jax.Array:
  """Weigh feature maps by the positive gradients, cell by cell.

  The score is taken as the exponent of an exponential function, whose higher
  derivatives are powers of the gradient.

  Args:
    head: from features `[h, w, C]` to scores `[K]`, such as logits.
    features: `[h, w, C]` of one image.

  Returns:
    `[K, h, w]`, at least 0, of no fixed scale (Chattopadhay et al. 2018): the
    factor `exp(score)` of all of a map's weights is left out.

  Raises:
    ValueError: if `features` or the scores have another shape.
  """
  gradients = _gradients(head, features)
  squares = jnp.square(gradients)
  below = 2 * squares + features.sum((0, 1)) * squares * gradients
  shares = jnp.where(below == 0, 0, squares / jnp.where(below == 0, 1, below))
  weights = (shares * jnp.maximum(gradients, 0)).sum((1, 2))
  return _weighted(weights, features)


def _gradients(head: Head, features: jax.Array) -> jax.Array:
  """Return the gradient of every score, `[K, h, w, C]`."""
  check_shape("features", features, "[h, w, C]")
  scores, pull = jax.vjp(head, features)
  check_shape("scores of head", scores, "[K]")
  basis = jnp.eye(len(scores), dtype=scores.dtype)
  return jax.vmap(lambda row: pull(row)[0])(basis)


def _weighted(weights: jax.Array, features: jax.Array) -> jax.Array:
  """Return the positive part of features summed with weights `[K, C]`."""
  return jnp.maximum(jnp.einsum("kc,hwc->khw", weights, features), 0)
