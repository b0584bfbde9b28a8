"""ResNet of basic blocks (He et al. 2016), up to its last map."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models.layers import (
  Activation,
  BatchNorm,
  Conv,
  leaky_relu,
  max_pool_3x3,
)


class BasicBlock(nn.Module):
  """Two 3x3 convolutions and a shortcut, projected where the shape changes."""

  features: int
  strides: int
  act: Activation
  dtype: Any

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
    """Maps `[B, h, w, C]` to `[B, h / strides, w / strides, features]`."""
    norm = {"use_running_average": not train, "dtype": self.dtype}
    y = Conv(self.features, 3, self.strides, dtype=self.dtype, name="conv1")(x)
    y = self.act(BatchNorm(**norm, name="norm1")(y))
    y = Conv(self.features, 3, dtype=self.dtype, name="conv2")(y)
    y = BatchNorm(**norm, name="norm2")(y)
    if self.strides != 1 or x.shape[-1] != self.features:
      x = Conv(self.features, 1, self.strides, dtype=self.dtype, name="proj")(x)
      x = BatchNorm(**norm, name="norm_proj")(x)
    return self.act(x + y)


class ResNet(nn.Module):
  """ResNet trunk; the default is ResNet-34.

  Attributes:
    stage_sizes: blocks per stage; each stage after the first halves the map
      and doubles the width.
    width: channels of the first stage.
    act: every activation.
    dtype: type of the computation.
  """

  stage_sizes: tuple[int, ...] = (3, 4, 6, 3)
  width: int = 64
  act: Activation = leaky_relu
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
    """Returns `[B, h, w, width * 2**(stages - 1)]` of `[B, H, W, 3]`."""
    norm = {"use_running_average": not train, "dtype": self.dtype}
    x = Conv(self.width, 7, 2, dtype=self.dtype, name="conv0")(x)
    x = max_pool_3x3(self.act(BatchNorm(**norm, name="norm0")(x)))
    for stage, size in enumerate(self.stage_sizes, 1):
      for block in range(1, size + 1):
        x = BasicBlock(
          self.width * 2 ** (stage - 1),
          strides=2 if stage > 1 and block == 1 else 1,
          act=self.act,
          dtype=self.dtype,
          name=f"stage{stage}_block{block}",
        )(x, train=train)
    return x
