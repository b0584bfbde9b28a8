"""The top-down half of a feature pyramid (Lin et al. 2017)."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from chexjax.models.layers import Conv
from chexjax.ops import _precision, _primitive


def upsample_nearest(x: jax.Array, factor: int = 2) -> jax.Array:
  """Repeat each pixel of `[B, H, W, C]` `factor` times in both directions."""

  def plain(x: jax.Array) -> jax.Array:
    return x.repeat(factor, axis=1).repeat(factor, axis=2)

  def products(x: jax.Array) -> jax.Array:
    return _multiply(_multiply(x, factor, axis=1), factor, axis=2)

  # A TPU moves rows slowly and multiplies fast.
  if _primitive.is_portable():
    return plain(x)
  return jax.lax.platform_dependent(x, default=plain, tpu=products)


def _multiply(x, factor, *, axis):
  """Repeat along an axis by a matrix of zeros and ones.

  Each sum has one term that is not 0, which this precision leaves as it is.
  """
  ones = np.repeat(np.eye(x.shape[axis]), factor, 0).astype(x.dtype)
  precision = _precision.for_type(x.dtype) or "highest"
  repeated = jnp.tensordot(ones, x, (1, axis), precision=precision)
  return jnp.moveaxis(repeated, 0, axis)


class FPN(nn.Module):
  """Merges the taps from coarse to fine into the finest map.

  Unlike the original there is no 3x3 convolution after a sum, and only the
  finest level is used.

  Attributes:
    features: channels of the merged map (the paper's Q).
    dtype: type of the computation.
  """

  features: int = 256
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, taps: Sequence[jax.Array]) -> jax.Array:
    """Return `[B, H/4, W/4, features]` from taps ordered fine to coarse."""
    laterals = [
      Conv(
        self.features,
        kernel=1,
        use_bias=True,
        dtype=self.dtype,
        name=f"lateral{i}",
      )(tap)
      for i, tap in enumerate(taps, 1)
    ]
    merged = laterals.pop()
    while laterals:
      merged = laterals.pop() + upsample_nearest(merged)
    return merged
