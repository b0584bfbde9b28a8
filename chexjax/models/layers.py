"""Layers shared by the backbones: norms, activations, convolutions."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from chexjax.models.convolution import convolve
from chexjax.models.sealed import sealed

Activation = Callable[[jax.Array], jax.Array]
# Two vectors of one number a channel: mean and variance, or scale and bias.
Moments = tuple[jax.Array, jax.Array]

_MOMENTUM, _EPSILON = 0.9, 1e-5


def leaky_relu(x: jax.Array) -> jax.Array:
  """LeakyReLU with the slope 0.1 that the paper puts for every ReLU."""
  return jax.lax.select(x >= 0, x, 0.1 * x)


def channel_moments(x: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Returns the mean and variance of each channel, `[C]`, in float32."""
  x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
  axes = tuple(range(x.ndim - 1))
  mean = checkpoint_name(x.mean(axes), "kept")
  square = checkpoint_name(jnp.square(x).mean(axes), "kept")
  return mean, jnp.maximum(square - jnp.square(mean), 0)


class BatchNorm(nn.Module):
  """Batch norm with the released model's constants, as one product and sum.

  PyTorch's momentum 0.1 is 0.9 here; epsilon is 1e-5. Statistics are over the
  global batch when the batch is sharded under `jit`, and stay in float32
  whatever `dtype` is. As `torch.nn.BatchNorm2d`, except that the running
  variance is the biased one (a factor of 1 - 1/n). Variables and values are
  those of `flax.linen.BatchNorm`, whose gradient passes over the map twice as
  often.

  Attributes:
    use_running_average: whether the stored statistics are taken.
    dtype: of the result.
  """

  use_running_average: bool
  dtype: Any = jnp.float32

  def __call__(self, x: jax.Array, moments: Moments | None = None) -> jax.Array:
    """Norms `[..., C]` over all axes but the last.

    Args:
      x: the map.
      moments: of `x`, where several norms share them; not read where the
        stored statistics are taken.
    """
    learned, stored = self.variables_of(x.shape[-1])
    if stored is None:
      moments = channel_moments(x) if moments is None else moments
      self.update(moments)
    else:
      moments = stored
    return normalize(x, moments, learned).astype(self.dtype)

  @nn.compact
  def variables_of(self, channels: int) -> tuple[Moments, Moments | None]:
    """Returns scale and bias, and the mean and variance to take, `[C]` each.

    The latter are None where they are a batch's.
    """
    mean = self.variable("batch_stats", "mean", jnp.zeros, (channels,))
    var = self.variable("batch_stats", "var", jnp.ones, (channels,))
    scale = self.param("scale", nn.initializers.ones, (channels,))
    bias = self.param("bias", nn.initializers.zeros, (channels,))
    stored = mean.value, var.value
    return (scale, bias), stored if self.use_running_average else None

  def update(self, moments: Moments | None) -> None:
    """Moves the stored statistics towards a batch's, in training."""
    if moments is None or self.use_running_average or self.is_initializing():
      return
    for name, new in zip(("mean", "var"), moments):
      old: jax.Array = self.get_variable("batch_stats", name)
      new = _MOMENTUM * old + (1 - _MOMENTUM) * new
      self.put_variable("batch_stats", name, new)


def normalize(x: jax.Array, moments: Moments, learned: Moments) -> jax.Array:
  """Norms `[..., C]` with mean and variance, then scale and bias."""
  (mean, var), (scale, bias) = moments, learned
  factor = scale * jax.lax.rsqrt(var + _EPSILON)
  wide = jnp.promote_types(x.dtype, jnp.float32)
  return x.astype(wide) * factor + (bias - mean * factor)


def convolve_and_norm(
  x: jax.Array,
  kernel: jax.Array,
  learned: Moments,
  stored: Moments | None,
  *,
  strides: int = 1,
) -> tuple[jax.Array, Moments]:
  """Convolves and norms, in a sealed part; returns the moments taken too."""
  x = checkpoint_name(convolve(x, kernel, strides=strides), "kept")
  moments = stored or channel_moments(x)
  return normalize(x, moments, learned).astype(kernel.dtype), moments


_sealed_convolve = sealed(convolve)


class Conv(nn.Module):
  """A square convolution with PyTorch's symmetric padding (`convolve`).

  Attributes:
    features: output channels.
    kernel: side of the kernel, odd; the padding is `kernel // 2`.
    strides: step in both directions.
    use_bias: whether a bias is added.
    dtype: type of the computation; parameters stay float32.
  """

  features: int
  kernel: int = 3
  strides: int = 1
  use_bias: bool = False
  dtype: Any = jnp.float32

  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns `[..., H / strides, W / strides, features]`."""
    kernel, bias = self.variables_of(x.shape[-1])
    apply = _sealed_convolve if self.kernel > 1 else convolve
    x = apply(x.astype(self.dtype), kernel, strides=self.strides)
    return x if bias is None else x + bias

  @nn.compact
  def variables_of(self, channels: int) -> tuple[jax.Array, jax.Array | None]:
    """Returns `[S, S, channels, features]` and the bias, in the type."""
    kernel = self.param(
      "kernel",
      nn.initializers.he_normal(),
      (self.kernel, self.kernel, channels, self.features),
    ).astype(self.dtype)
    if not self.use_bias:
      return kernel, None
    bias = self.param("bias", nn.initializers.zeros, (self.features,))
    return kernel, bias.astype(self.dtype)


def max_pool_3x3(x: jax.Array) -> jax.Array:
  """Halves `[..., H, W, C]` with a 3x3 maximum, stride 2, padding 1."""
  return nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
