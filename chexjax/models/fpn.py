"""The top-down half of a feature pyramid (Lin et al. 2017)."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models.layers import Conv


def upsample_nearest(x: jax.Array, factor: int = 2) -> jax.Array:
  """Repeat each pixel of `[B, H, W, C]` `factor` times in both directions."""
  return x.repeat(factor, axis=1).repeat(factor, axis=2)


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
