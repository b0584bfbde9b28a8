"""The matrices that average bilinear samples over the bins of an interval."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chexjax.ops._constant_product import Matrix
from chexjax.ops.interpolation import interpolation_matrix
from chexjax.ops.proposals import proposal_intervals


def pooling_matrix(
  start: jax.Array,
  end: jax.Array,
  *,
  length: int,
  bins: int,
  sampling_ratio: int,
  aligned: bool,
) -> jax.Array:
  """Return rows `[..., bins, length]` that average the samples of each bin.

  `start` and `end` are `[...]` in feature pixels.
  """
  if aligned:
    start, end = start - 0.5, end - 0.5
    extent = end - start
  else:
    extent = jnp.maximum(end - start, 1)
  count = bins * sampling_ratio
  steps = (jnp.arange(count, dtype=extent.dtype) + 0.5) / count
  positions = start[..., None] + steps * extent[..., None]
  inside = (positions >= -1) & (positions <= length)
  rows = interpolation_matrix(positions, length) * inside[..., None]
  return rows.reshape(*start.shape, bins, sampling_ratio, length).mean(-2)


# A matrix is compared by its identity, so equal calls have to share theirs.
@functools.cache
def constant_matrices(
  length: int, *, stride: int, bins: int, sampling_ratio: int, dtype: Any
) -> tuple[Matrix, ...]:
  """Return a matrix `[intervals * bins, length]` for each proposal size."""
  # Compiled, because each operation on its own costs as much as all of them.
  pool = jax.jit(
    functools.partial(
      pooling_matrix,
      length=length,
      bins=bins,
      sampling_ratio=sampling_ratio,
      aligned=False,
    )
  )
  matrices = []
  for intervals in proposal_intervals(length * stride):
    with jax.ensure_compile_time_eval():
      matrix = pool(*np.asarray(intervals / stride, dtype).T)
    matrices.append(Matrix(np.asarray(matrix).reshape(-1, length)))
  return tuple(matrices)
