"""Convolutions and their gradients as XLA's own operation.

These are the forms of all backends but the CPU's. Shapes are those of
`quick.py`.
"""

from collections.abc import Callable

import jax

from chexjax.ops import _precision


def output(
  x: jax.Array, kernel: jax.Array, *, shape: tuple[int, ...], strides: int
) -> jax.Array:
  """Compute the convolution of `x` with the kernel, of the given shape."""
  del shape  # The operands and strides determine it.
  return xla(x, kernel, strides)


def input_gradient(
  g: jax.Array, kernel: jax.Array, *, shape: tuple[int, ...], strides: int
) -> jax.Array:
  """Compute the gradient to `x`, of the given shape."""
  return transpose(lambda x: xla(x, kernel, strides), shape, g)


def kernel_gradient(
  x: jax.Array, g: jax.Array, *, shape: tuple[int, ...], strides: int
) -> jax.Array:
  """Compute the gradient to the kernel, of the given shape."""
  return transpose(lambda kernel: xla(x, kernel, strides), shape, g)


def xla(x: jax.Array, kernel: jax.Array, strides: int) -> jax.Array:
  """Convolve by XLA's own operation, or as the product that it amounts to."""
  precision = _precision.for_type(x.dtype)
  if kernel.shape[0] == 1 and strides == 1:
    return jax.numpy.matmul(x, kernel[0, 0], precision=precision)
  pad = kernel.shape[0] // 2
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (strides, strides),
    [(pad, pad), (pad, pad)],
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
    precision=precision,
  )


def transpose(
  linear: Callable[[jax.Array], jax.Array],
  shape: tuple[int, ...],
  g: jax.Array,
) -> jax.Array:
  """Apply the transpose of a linear function of an array of the shape."""
  (result,) = jax.linear_transpose(
    linear, jax.ShapeDtypeStruct(shape, g.dtype)
  )(g)
  return result
