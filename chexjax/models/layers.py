"""Layers shared by the backbones: norms, activations, convolutions."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models.convolution import convolve

Activation = Callable[[jax.Array], jax.Array]


def leaky_relu(x: jax.Array) -> jax.Array:
  """LeakyReLU with the slope 0.1 that the paper puts for every ReLU."""
  return nn.leaky_relu(x, 0.1)


class BatchNorm(nn.BatchNorm):
  """Batch norm with the released model's constants.

  PyTorch's momentum 0.1 is 0.9 here; epsilon is 1e-5. Statistics are over the
  global batch when the batch is sharded under `jit`, and stay in float32
  whatever `dtype` is. As `torch.nn.BatchNorm2d`, except that the running
  variance is the biased one (a factor of 1 - 1/n).
  """

  momentum: float = 0.9
  epsilon: float = 1e-5


class Conv(nn.Module):
  """A square convolution with PyTorch's symmetric padding.

  A 1x1 convolution is a matrix product and is written as one: XLA's CPU
  backend runs it, and above all its gradients, faster in that form.

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
    if self.kernel == 1:
      x = x[..., :: self.strides, :: self.strides, :] @ kernel[0, 0]
    else:
      x = convolve(x, kernel, strides=self.strides)
    if self.use_bias:
      bias = self.param("bias", nn.initializers.zeros, (self.features,))
      x = x + bias.astype(self.dtype)
    return x


def max_pool_3x3(x: jax.Array) -> jax.Array:
  """Halves `[..., H, W, C]` with a 3x3 maximum, stride 2, padding 1."""
  return nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
