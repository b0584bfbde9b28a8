"""Layers shared by the backbones: norms, activations, convolutions."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models.convolution import convolve

Activation = Callable[[jax.Array], jax.Array]

_MOMENTUM, _EPSILON = 0.9, 1e-5


def leaky_relu(x: jax.Array) -> jax.Array:
  """LeakyReLU with the slope 0.1 that the paper puts for every ReLU."""
  return nn.leaky_relu(x, 0.1)


def channel_moments(x: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Returns the mean and variance of each channel, `[C]`, in float32."""
  x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
  axes = tuple(range(x.ndim - 1))
  mean = x.mean(axes)
  return mean, jnp.maximum(jnp.square(x).mean(axes) - jnp.square(mean), 0)


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

  @nn.compact
  def __call__(
    self, x: jax.Array, moments: tuple[jax.Array, jax.Array] | None = None
  ) -> jax.Array:
    """Norms `[..., C]` over all axes but the last.

    Args:
      x: the map.
      moments: of `x`, where several norms share them; not read where the
        stored statistics are taken.
    """
    shape, wide = x.shape[-1:], jnp.promote_types(x.dtype, jnp.float32)
    running_mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
    running_var = self.variable("batch_stats", "var", jnp.ones, shape)
    scale = self.param("scale", nn.initializers.ones, shape)
    bias = self.param("bias", nn.initializers.zeros, shape)
    x = x.astype(wide)
    if self.use_running_average:
      mean, var = running_mean.value, running_var.value
    else:
      mean, var = channel_moments(x) if moments is None else moments
      if not self.is_initializing():
        for running, new in ((running_mean, mean), (running_var, var)):
          running.value = _MOMENTUM * running.value + (1 - _MOMENTUM) * new
    factor = scale * jax.lax.rsqrt(var + _EPSILON)
    return (x * factor + (bias - mean * factor)).astype(self.dtype)


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

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns `[..., H / strides, W / strides, features]`."""
    kernel = self.param(
      "kernel",
      nn.initializers.he_normal(),
      (self.kernel, self.kernel, x.shape[-1], self.features),
    )
    x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
    x = convolve(x, kernel, strides=self.strides)
    if self.use_bias:
      bias = self.param("bias", nn.initializers.zeros, (self.features,))
      x = x + bias.astype(self.dtype)
    return x


def max_pool_3x3(x: jax.Array) -> jax.Array:
  """Halves `[..., H, W, C]` with a 3x3 maximum, stride 2, padding 1."""
  return nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
