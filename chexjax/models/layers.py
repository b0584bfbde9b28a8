"""Layers shared by the backbones: norms, activations, convolutions."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from chexjax.models._cpu import conv
from chexjax.models.tracing import is_for_accelerator
from chexjax.ops import _precision

Activation = Callable[[jax.Array], jax.Array]
# The mean and the variance of each channel, `[C]` each.
Moments = tuple[jax.Array, jax.Array]

_MOMENTUM, _EPSILON = 0.9, 1e-5


@jax.custom_jvp
def leaky_relu(x: jax.Array) -> jax.Array:
  """Apply LeakyReLU with slope 0.1, the paper's replacement of every ReLU."""
  return jax.lax.select(x >= 0, x, 0.1 * x)


@leaky_relu.defjvp
def _leaky_relu_jvp(primals, tangents):
  """Multiply by the slope, 0.1 or exactly 1.

  The gradient of `select` has two products with zeros instead, too many for
  XLA on a GPU to fuse with the sums behind them.
  """
  (x,), (tangent,) = primals, tangents
  wide = jnp.promote_types(x.dtype, jnp.float32)
  slope = 0.1 + 0.9 * (x >= 0).astype(wide)
  return leaky_relu(x), (tangent * slope).astype(x.dtype)


def channel_moments(x: jax.Array) -> Moments:
  """Compute the mean and variance of each channel, `[C]`, in float32."""
  x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
  axes = tuple(range(x.ndim - 1))
  mean = checkpoint_name(x.mean(axes), "kept")
  square = checkpoint_name(jnp.square(x).mean(axes), "kept")
  return mean, jnp.maximum(square - jnp.square(mean), 0)


def norm_factor(scale: jax.Array, moments: Moments) -> jax.Array:
  """Return what a batch norm multiplies each channel by, `[..., C]`."""
  return scale * jax.lax.rsqrt(moments[1] + _EPSILON)


class BatchNorm(nn.Module):
  """Batch norm with the released model's constants, as one product and sum.

  PyTorch's momentum 0.1 is 0.9 here; epsilon is 1e-5. Statistics are those of
  the global batch when the batch is sharded under `jit`, and stay in float32
  whatever `dtype` is. As `torch.nn.BatchNorm2d`, except that the running
  variance is the biased one (a factor of 1 - 1/n). As `flax.linen.BatchNorm` in
  variables and values; that module's gradient passes over the map twice as
  often.

  Attributes:
    use_running_average: whether the stored statistics are taken.
    dtype: of the result.
  """

  use_running_average: bool
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, x: jax.Array, *, moments: Moments | None = None
  ) -> jax.Array:
    """Norm `[..., C]` over all axes but the last.

    Args:
      x: the map.
      moments: those of `x`, where several norms share them. They are not read
        where the stored statistics are taken.
    """
    shape = (x.shape[-1],)
    mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
    var = self.variable("batch_stats", "var", jnp.ones, shape)
    scale = self.param("scale", nn.initializers.ones, shape)
    bias = self.param("bias", nn.initializers.zeros, shape)
    if self.use_running_average:
      moments = mean.value, var.value
    else:
      moments = channel_moments(x) if moments is None else moments
      if not self.is_initializing():
        for stored, new in zip((mean, var), moments):
          stored.value = _MOMENTUM * stored.value + (1 - _MOMENTUM) * new
    factor = norm_factor(scale, moments)
    wide = jnp.promote_types(x.dtype, jnp.float32)
    x = x.astype(wide) * factor + (bias - moments[0] * factor)
    return x.astype(self.dtype)


class Conv(nn.Module):
  """A square convolution with PyTorch's symmetric padding.

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
    """Map `[B, H, W, C]` to `[B, H / strides, W / strides, features]`."""
    kernel = self.param(
      "kernel",
      nn.initializers.he_normal(),
      (self.kernel, self.kernel, x.shape[-1], self.features),
    )
    x, kernel = x.astype(self.dtype), kernel.astype(self.dtype)
    if kernel.shape[::3] == (1, 1) and self.strides == 1:
      x = _convolve_to_one_channel(x, kernel)
    else:
      x = conv(x, kernel, strides=self.strides)
    x = checkpoint_name(x, "kept")
    if self.use_bias:
      bias = self.param("bias", nn.initializers.zeros, (self.features,))
      x = x + bias.astype(self.dtype)
    return x


def _convolve_to_one_channel(x, kernel):
  """Multiply `[B, H, W, C]` by `[1, 1, C, 1]`.

  A GPU's sum takes in the norm and the activation before it, its product does
  not. A TPU would add up along its lanes.
  """
  if not is_for_accelerator():
    return conv(x, kernel)
  precision = _precision.for_type(x.dtype)

  def add(x, column):
    wide = jnp.promote_types(x.dtype, jnp.float32)
    products = x.astype(wide) * column[:, 0].astype(wide)
    return products.sum(-1, keepdims=True).astype(x.dtype)

  def multiply(x, column):
    columns = jnp.pad(column, ((0, 0), (0, 7)))
    return jnp.matmul(x, columns, precision=precision)[..., :1]

  return jax.lax.platform_dependent(x, kernel[0, 0], default=add, tpu=multiply)


def max_pool_3x3(x: jax.Array) -> jax.Array:
  """Halve `[..., H, W, C]` with a 3x3 maximum, stride 2, padding 1."""
  return nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
