"""How exactly an accelerator multiplies.

By JAX's default a TPU rounds float32 to bfloat16 before it multiplies, and a
GPU to TF32. Pixels and boxes would move, so the products that place something
ask for float32 wherever they are traced. The others follow
`jax.default_matmul_precision`, which `models.for_platform` sets.
"""

from typing import Any

import jax
import numpy as np


def for_type(dtype: Any) -> jax.lax.Precision | None:
  """Return the precision of products of numbers of a type.

  Numbers of fewer than 32 bits are multiplied exactly in one pass, and some
  compilers have no quick form for more.

  Args:
    dtype: of both operands.

  Returns:
    The default for a narrow type; for others None, which leaves it to
    `jax.default_matmul_precision`.
  """
  narrow = np.dtype(dtype).itemsize < 4
  return jax.lax.Precision.DEFAULT if narrow else None


def current() -> str | None:
  """Return what `jax.default_matmul_precision` is where this is called."""
  config: Any = jax.config  # Its options have no types.
  found: str | None = config.jax_default_matmul_precision
  return found
