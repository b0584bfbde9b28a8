"""DenseNet (Huang et al. 2017) with the four taps that the FPN is built on."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from chexjax.models.convolution import convolve
from chexjax.models.layers import (
  Activation,
  BatchNorm,
  Conv,
  Moments,
  channel_moments,
  convolve_and_norm,
  leaky_relu,
  max_pool_3x3,
  normalize,
)
from chexjax.models.sealed import sealed


class DenseLayer(nn.Module):
  """Norm-act-conv1x1-norm-act-conv3x3, its output appended to its input.

  A channel's moments are computed where it is made and handed on, for all the
  later layers that norm it.
  """

  growth: int
  bn_size: int
  act: Activation
  dtype: Any

  @nn.compact
  def __call__(
    self, x: jax.Array, moments: Moments | None, *, train: bool
  ) -> tuple[jax.Array, Moments | None]:
    """Maps `[B, h, w, C]` and its moments to `C + growth` channels.

    The moments are None, and stay so, where stored ones are taken.
    """
    norm = {"use_running_average": not train, "dtype": self.dtype}
    channels, width = x.shape[-1], self.bn_size * self.growth
    norm1, norm2 = (BatchNorm(**norm, name=f"norm{i}") for i in (1, 2))
    conv1 = Conv(width, 1, dtype=self.dtype, name="conv1")
    conv2 = Conv(self.growth, dtype=self.dtype, name="conv2")
    learned, stored = norm1.variables_of(channels)
    outer = stored or moments
    x, inner, new = _dense_layer(
      x,
      (outer, learned, conv1.variables_of(channels)[0]),
      (*norm2.variables_of(width), conv2.variables_of(width)[0]),
      act=self.act,
    )
    norm1.update(outer)
    norm2.update(inner)
    return x, jax.tree.map(lambda *parts: jnp.concatenate(parts), moments, new)


@sealed
def _dense_layer(x, first, second, *, act):
  """Returns the joined map, the moments in its midst and of what is new."""
  moments, learned, kernel = first
  y = act(normalize(x, moments, learned).astype(kernel.dtype))
  learned, stored, last_kernel = second
  y, inner = convolve_and_norm(y, kernel, learned, stored)
  y = checkpoint_name(convolve(act(y), last_kernel), "kept")
  new = channel_moments(y) if stored is None else None
  return jnp.concatenate([x, y], -1), inner, new


def _block(net, x, *, block, size, train):
  """The dense layers of a block, whose variables are those of `net`."""
  moments = channel_moments(x) if train else None
  for layer in range(1, size + 1):
    x, moments = DenseLayer(
      net.growth,
      net.bn_size,
      net.act,
      net.dtype,
      name=f"block{block}_layer{layer}",
    )(x, moments, train=train)
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
    """Returns one map per block, at 1/4, 1/8, 1/16 and 1/32 of the input.

    Args:
      x: `[B, H, W, 3]` normalised image, H and W multiples of 32.
      train: whether batch statistics are taken from this batch.

    Returns:
      A map `[B, H/4, W/4, C_1]` and so on, each after the norm and activation
      that close its block and before the transition's convolution and pooling
      (256, 512, 1024 and 1024 channels for DenseNet-121).
    """
    norm = {"use_running_average": not train, "dtype": self.dtype}
    x = Conv(self.stem, 7, 2, dtype=self.dtype, name="conv0")(x)
    x = max_pool_3x3(self.act(BatchNorm(**norm, name="norm0")(x)))
    taps = []
    for block, size in enumerate(self.block_sizes, 1):
      layers = functools.partial(_block, block=block, size=size, train=train)
      if self.remat:
        layers = nn.remat(layers)
      x, moments = layers(self, x)
      x = self.act(BatchNorm(**norm, name=f"norm_block{block}")(x, moments))
      taps.append(x)
      if block < len(self.block_sizes):
        half = x.shape[-1] // 2
        x = Conv(half, 1, dtype=self.dtype, name=f"transition{block}")(x)
        x = nn.avg_pool(x, (2, 2), (2, 2))
    return tuple(taps)
