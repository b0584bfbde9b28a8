"""Convolutions and their gradients in the forms that a CPU is quick at.

XLA's CPU backend computes a product of matrices at twice the speed of a
convolution, and at many times the speed of a kernel's gradient. So small maps
and all kernel gradients are computed as products of shifted copies
(`docs/performance.md` has the figures).

Each function takes and returns `x` as `[B, H, W, C]`, `kernel` as
`[S, S, C, F]`, and `g`, which has the shape of the output, as
`[B, H / strides, W / strides, F]`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from chexjax.models._cpu import plain

# Up to this many pairs of an input and an output pixel, one product with a
# dense matrix is the quickest form: it needs no change of layout.
_FEW_PAIRS = 81
# Up to this many pixels, one product for each row of the kernel is quicker
# than a convolution, and for the kernel's gradient quicker than one product.
_FEW_PIXELS = 16 * 16


def output(
  x: jax.Array, kernel: jax.Array, *, shape: tuple[int, ...], strides: int
) -> jax.Array:
  """Compute the convolution of `x` with the kernel, of the given shape."""
  del shape  # The operands and strides determine it.
  if kernel.shape[0] == 1:
    return x @ kernel[0, 0]
  if _has_few_pairs(x.shape, strides):
    return _dense_output(x, kernel, strides)
  if strides == 1 and _has_few_pixels(x.shape):
    return _output_by_rows(x, kernel)
  return plain.xla(x, kernel, strides)


def input_gradient(
  g: jax.Array, kernel: jax.Array, *, shape: tuple[int, ...], strides: int
) -> jax.Array:
  """Compute the gradient to `x`, of the given shape."""
  if kernel.shape[0] == 1:
    return g @ kernel[0, 0].T
  if _has_few_pairs(shape, strides):
    return plain.transpose(
      lambda x: _dense_output(x, kernel, strides), shape, g
    )
  if strides == 1:
    # It is a convolution with the kernel turned by 180 degrees.
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    by_rows = _has_few_pixels(shape)
    return _output_by_rows(g, turned) if by_rows else plain.xla(g, turned, 1)
  return plain.input_gradient(g, kernel, shape=shape, strides=strides)


def kernel_gradient(
  x: jax.Array, g: jax.Array, *, shape: tuple[int, ...], strides: int
) -> jax.Array:
  """Compute the gradient to the kernel, of the given shape."""
  size = shape[0]
  if size == 1:
    # `g` is what XLA should not transpose: it would compute the gradient of
    # the norm behind `g` again for every column. A single column is cheap.
    one = shape[-1] == 1
    product = _product(g, x).T if one else _product(x, g)
    return product[None, None]
  if _has_few_pairs(x.shape, strides):
    return plain.transpose(
      lambda kernel: _dense_output(x, kernel, strides), shape, g
    )
  if strides > 1:
    return _strided_kernel_gradient(x, g, size, strides)
  if _has_few_pixels(x.shape):
    return _kernel_gradient_by_rows(x, g, size)
  return _kernel_gradient_at_once(x, g, size)


def _has_few_pairs(shape, strides):
  pixels = shape[1] * shape[2]
  return pixels * pixels <= _FEW_PAIRS * strides * strides


def _has_few_pixels(shape):
  return shape[1] * shape[2] <= _FEW_PIXELS


def _dense_output(x, kernel, strides):
  """Multiply by the kernel spread over all pairs of pixels."""
  batch, height, width, channels = x.shape
  size = kernel.shape[0]
  out_height, out_width = -(-height // strides), -(-width // strides)
  spread = np.zeros((height, width, out_height, out_width, size, size))
  for r, c, i, j in np.ndindex(out_height, out_width, size, size):
    row, col = strides * r + i - size // 2, strides * c + j - size // 2
    if 0 <= row < height and 0 <= col < width:
      spread[row, col, r, c, i, j] = 1
  matrix = jnp.einsum(
    "pqk,kcf->pcqf",
    spread.reshape(height * width, -1, size * size).astype(kernel.dtype),
    kernel.reshape(size * size, channels, -1),
  ).reshape(height * width * channels, -1)
  result = x.reshape(batch, -1) @ matrix
  return result.reshape(batch, out_height, out_width, -1)


def _output_by_rows(x, kernel):
  """Sum one product for each row of the kernel, moved to its place."""
  size, _, _, features = kernel.shape
  columns = _row_neighbours(x, range(size))
  result = jnp.zeros((), x.dtype)
  for i in range(size):
    rows = columns @ kernel[i].reshape(-1, features)
    shift = i - size // 2
    edges = [(0, 0, 0), (-shift, shift, 0), (0, 0, 0), (0, 0, 0)]
    result = result + jax.lax.pad(rows, jnp.zeros((), x.dtype), edges)
  return result


def _kernel_gradient_at_once(x, g, size):
  """Multiply the input by all shifted copies of `g` in one product."""
  height, width = x.shape[1:3]
  padded = _pad(g, size // 2, axes=(1, 2))
  shifted = [
    padded[:, i : i + height, j : j + width]
    for i in reversed(range(size))
    for j in reversed(range(size))
  ]
  product = _product(x, jnp.concatenate(shifted, -1))
  product = product.reshape(x.shape[-1], size, size, g.shape[-1])
  return product.transpose(1, 2, 0, 3)


def _kernel_gradient_by_rows(x, g, size):
  """Multiply, for each row of the kernel, the rows that it joins."""
  height = x.shape[1]
  columns = _row_neighbours(g, reversed(range(size)))
  products = []
  for shift in range(-(size // 2), size // 2 + 1):
    read = x[:, max(0, shift) : height + min(0, shift)]
    written = columns[:, max(0, -shift) : height - max(0, shift)]
    products.append(_product(read, written))
  product = jnp.stack(products).reshape(size, x.shape[-1], size, g.shape[-1])
  return product.transpose(0, 2, 1, 3)


def _strided_kernel_gradient(x, g, size, strides):
  """Multiply the shifted and thinned input by `g` in one product."""
  height, width = g.shape[1:3]
  padded = _pad(x, size // 2, axes=(1, 2))
  rows, cols = strides * (height - 1) + 1, strides * (width - 1) + 1
  shifted = [
    padded[:, i : i + rows : strides, j : j + cols : strides]
    for i in range(size)
    for j in range(size)
  ]
  product = _product(jnp.concatenate(shifted, -1), g)
  return product.reshape(size, size, x.shape[-1], g.shape[-1])


def _row_neighbours(x, places):
  """Join the channels of each pixel with its row's: `[B, H, W, S * C]`."""
  places, width = list(places), x.shape[2]
  padded = _pad(x, len(places) // 2, axes=(2,))
  return jnp.concatenate([padded[:, :, j : j + width] for j in places], -1)


def _pad(x, pad, *, axes):
  """Put zeros around `x`, by joining.

  XLA would fuse `jnp.pad` into each slice that reads it, and so compute what
  `x` is made of once for each slice.
  """
  for axis in axes:
    shape = [pad if i == axis else side for i, side in enumerate(x.shape)]
    zeros = jnp.zeros(shape, x.dtype)
    x = jnp.concatenate([zeros, x, zeros], axis)
  return x


def _product(x, y):
  """Sum `[..., C]` times `[..., F]` over pixels to `[C, F]`."""
  return x.reshape(-1, x.shape[-1]).T @ y.reshape(-1, y.shape[-1])
