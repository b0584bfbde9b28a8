"""Linear interpolation along one axis as a matrix."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_count, check_shape


def interpolation_matrix(positions: jax.Array, length: int) -> jax.Array:
  """Build the rows that interpolate a signal of `length` at `positions`.

  A position is an index of a sample (0 is the first sample itself, not its
  left edge); positions beyond the ends take the end's value. Sampling an
  image at a grid is then two matrix products, which are faster than gathers
  on every backend and differentiable in the positions.

  Args:
    positions: `[..., N]` float, in samples.
    length: of the signal, in samples.

  Returns:
    `[..., N, length]`, each row summing to 1. Its product with a signal is
    `numpy.interp` at `positions`.

  Raises:
    ValueError: if `positions` has no axis, or `length` is not a positive
      integer.
  """
  check_shape("positions", positions, "[..., N]")
  check_count("length", length)
  positions = jnp.clip(positions, 0, length - 1)[..., None]
  distance = jnp.abs(positions - jnp.arange(length, dtype=positions.dtype))
  return jnp.maximum(1 - distance, 0)
