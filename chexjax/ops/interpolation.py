"""Linear interpolation along one axis as a matrix."""

import jax
import jax.numpy as jnp


def interpolation_matrix(positions: jax.Array, length: int) -> jax.Array:
  """Builds the rows that interpolate a signal of `length` at `positions`.

  A position is an index of a sample (0 is the first sample itself, not its
  left edge); positions beyond the ends take the end's value. Sampling an
  image at a grid is then two matrix products, which are faster than gathers
  on every backend and differentiable in the positions.

  Args:
    positions: `[..., N]` float, in samples.
    length: of the signal.

  Returns:
    `[..., N, length]`, each row summing to 1.
  """
  positions = jnp.clip(positions, 0, length - 1)[..., None]
  distance = jnp.abs(positions - jnp.arange(length, dtype=positions.dtype))
  return jnp.maximum(1 - distance, 0)
