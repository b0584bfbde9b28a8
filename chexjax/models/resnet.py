"""ResNet of basic blocks (He et al. 2016), up to its last map."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models._cpu import sealed
from chexjax.models.layers import (
  Activation,
  BatchNorm,
  Conv,
  leaky_relu,
  max_pool_3x3,
)


class BasicBlock(nn.Module, kw_only=True):
  """Two 3x3 convolutions and a shortcut, projected where the shape changes.

  Attributes:
    features: channels of the result.
    strides: step of the first convolution and of the shortcut.
    act: both activations.
    dtype: type of the computation.
  """

  features: int
  strides: int
  act: Activation
  dtype: Any

  @sealed
  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
    """Map `[B, h, w, C]` to `[B, h / strides, w / strides, features]`."""
    conv = functools.partial(Conv, self.features, dtype=self.dtype)
    norm = functools.partial(
      BatchNorm, use_running_average=not train, dtype=self.dtype
    )
    y = conv(strides=self.strides, name="conv1")(x)
    y = self.act(norm(name="norm1")(y))
    y = norm(name="norm2")(conv(name="conv2")(y))
    if self.strides != 1 or x.shape[-1] != self.features:
      x = conv(kernel=1, strides=self.strides, name="proj")(x)
      x = norm(name="norm_proj")(x)
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
    """Return `[B, h, w, width * 2**(stages - 1)]` of `[B, H, W, 3]`."""
    conv0 = Conv(
      self.width, kernel=7, strides=2, dtype=self.dtype, name="conv0"
    )
    norm0 = BatchNorm(
      use_running_average=not train, dtype=self.dtype, name="norm0"
    )
    x = max_pool_3x3(self.act(norm0(conv0(x))))
    for stage, size in enumerate(self.stage_sizes, 1):
      for block in range(1, size + 1):
        x = BasicBlock(
          features=self.width * 2 ** (stage - 1),
          strides=2 if stage > 1 and block == 1 else 1,
          act=self.act,
          dtype=self.dtype,
          name=f"stage{stage}_block{block}",
        )(x, train=train)
    return x
