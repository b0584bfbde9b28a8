"""ResNet of basic blocks (He et al. 2016), up to its last map."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models.layers import (
  Activation,
  BatchNorm,
  Conv,
  convolve_and_norm,
  leaky_relu,
  max_pool_3x3,
)
from chexjax.models.sealed import sealed


class BasicBlock(nn.Module):
  """Two 3x3 convolutions and a shortcut, projected where the shape changes."""

  features: int
  strides: int
  act: Activation
  dtype: Any

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
    """Maps `[B, h, w, C]` to `[B, h / strides, w / strides, features]`."""
    channels = x.shape[-1]
    # Names of the convolution and its norm, side of the kernel, channels read.
    parts = [
      ("conv1", "norm1", 3, channels),
      ("conv2", "norm2", 3, self.features),
    ]
    if self.strides != 1 or channels != self.features:
      parts.append(("proj", "norm_proj", 1, channels))
    norms, variables = [], []
    for conv_name, norm_name, size, read in parts:
      conv = Conv(self.features, size, dtype=self.dtype, name=conv_name)
      norms.append(
        BatchNorm(
          use_running_average=not train, dtype=self.dtype, name=norm_name
        )
      )
      kernel, _ = conv.variables_of(read)
      variables.append((kernel, *norms[-1].variables_of(self.features)))
    x, moments = _basic_block(x, *variables, strides=self.strides, act=self.act)
    for norm, new in zip(norms, moments):
      norm.update(new)
    return x


@sealed
def _basic_block(x, first, second, shortcut=None, *, strides, act):
  """Returns the block's map and the moments of its norms."""
  y, moments1 = convolve_and_norm(x, *first, strides=strides)
  y, moments2 = convolve_and_norm(act(y), *second)
  moments = [moments1, moments2]
  if shortcut is not None:
    x, moments3 = convolve_and_norm(x, *shortcut, strides=strides)
    moments.append(moments3)
  return act(x + y), moments


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
