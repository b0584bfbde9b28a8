"""DenseNet (Huang et al. 2017) with the four taps that the FPN is built on."""

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
  Moments,
  channel_moments,
  leaky_relu,
  max_pool_3x3,
)


class DenseLayer(nn.Module, kw_only=True):
  """Norm-act-conv1x1-norm-act-conv3x3, its output appended to its input.

  A channel's moments are computed where the channel is made, and passed on to
  all later layers that norm it.

  Attributes:
    growth: channels that the layer adds.
    bn_size: width of the 1x1 bottleneck in units of `growth`.
    act: both activations.
    dtype: type of the computation.
  """

  growth: int
  bn_size: int
  act: Activation
  dtype: Any

  @sealed
  @nn.compact
  def __call__(
    self, x: jax.Array, moments: Moments | None, *, train: bool
  ) -> tuple[jax.Array, Moments | None]:
    """Append channels to `[B, h, w, C]`.

    Args:
      x: the map.
      moments: of its channels; None where the stored statistics are taken.
      train: whether statistics are taken from this batch.

    Returns:
      `[B, h, w, C + growth]`, and the moments of the channels that are new, or
      None.
    """
    norm = functools.partial(
      BatchNorm, use_running_average=not train, dtype=self.dtype
    )
    y = self.act(norm(name="norm1")(x, moments=moments))
    width = self.bn_size * self.growth
    y = Conv(width, kernel=1, dtype=self.dtype, name="conv1")(y)
    y = self.act(norm(name="norm2")(y))
    y = Conv(self.growth, dtype=self.dtype, name="conv2")(y)
    new = None if moments is None else channel_moments(y)
    return jnp.concatenate([x, y], -1), new


def _block(net, x, *, block, size, train):
  """Apply the dense layers of a block, whose variables belong to `net`."""
  moments = channel_moments(x) if train else None
  for layer in range(1, size + 1):
    x, new = DenseLayer(
      growth=net.growth,
      bn_size=net.bn_size,
      act=net.act,
      dtype=net.dtype,
      name=f"block{block}_layer{layer}",
    )(x, moments, train=train)
    if moments is not None:
      moments = jax.tree.map(
        lambda *parts: jnp.concatenate(parts), moments, new
      )
  return x, moments


class DenseNet(nn.Module):
  """DenseNet up to its last norm; the default is DenseNet-121.

  Attributes:
    block_sizes: dense layers per block.
    growth: channels that a layer adds.
    bn_size: width of the 1x1 bottleneck in units of `growth`.
    stem: channels of the first convolution.
    act: every activation; the paper puts LeakyReLU(0.1) for ReLU.
    dtype: type of the computation.
    remat: whether the gradient computes each block again, for memory.
  """

  block_sizes: tuple[int, ...] = (6, 12, 24, 16)
  growth: int = 32
  bn_size: int = 4
  stem: int = 64
  act: Activation = leaky_relu
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool) -> tuple[jax.Array, ...]:
    """Return one map per block, at 1/4, 1/8, 1/16 and 1/32 of the input.

    Args:
      x: `[B, H, W, 3]` normalised image, H and W multiples of 32.
      train: whether batch statistics are taken from this batch.

    Returns:
      A map `[B, H/4, W/4, C_1]` and so on, each after the norm and activation
      that close its block and before the transition's convolution and pooling
      (256, 512, 1024 and 1024 channels for DenseNet-121).
    """
    norm = functools.partial(
      BatchNorm, use_running_average=not train, dtype=self.dtype
    )
    conv0 = Conv(self.stem, kernel=7, strides=2, dtype=self.dtype, name="conv0")
    x = max_pool_3x3(self.act(norm(name="norm0")(conv0(x))))
    taps = []
    for block, size in enumerate(self.block_sizes, 1):
      layers = functools.partial(_block, block=block, size=size, train=train)
      if self.remat:
        layers = nn.remat(layers)
      x, moments = layers(self, x)
      x = self.act(norm(name=f"norm_block{block}")(x, moments=moments))
      taps.append(x)
      if block < len(self.block_sizes):
        half = x.shape[-1] // 2
        x = Conv(half, kernel=1, dtype=self.dtype, name=f"transition{block}")(x)
        x = nn.avg_pool(x, (2, 2), (2, 2))
    return tuple(taps)
