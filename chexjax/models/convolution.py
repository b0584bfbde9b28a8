"""Convolution in the forms that XLA's CPU backend is quick at.

There a product of matrices reaches twice the speed of a convolution and many
times that of a kernel's gradient, so that small maps and all kernel gradients
are computed as products of shifted copies (`docs/performance.md` has the
figures). On other backends XLA's own convolution is left as it is, but for
maps of a few pixels.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

# Up to this many pairs of a pixel read and one written, one dense product is
# the quickest form, and there is no layout to be changed.
_FEW_PAIRS = 81
# Up to this many pixels one product a kernel row is quicker than a
# convolution, and quicker than one product of all for a kernel's gradient.
_PIXELS_BY_ROWS = 16 * 16


def convolve(x: jax.Array, kernel: jax.Array, *, strides: int = 1) -> jax.Array:
  """Convolves with PyTorch's symmetric padding of half the kernel.

  Args:
    x: `[B, H, W, C]`; more leading axes with a kernel of 1x1.
    kernel: `[S, S, C, F]`, S odd, of the same type.
    strides: step in both directions.

  Returns:
    `[B, H / strides, W / strides, F]`, rounded up. As
    `jax.lax.conv_general_dilated`, without a forward-mode gradient.
  """
  if kernel.shape[0] == 1:
    return _multiply(x[..., ::strides, ::strides, :], kernel[0, 0])
  pixels = x.shape[1] * x.shape[2]
  if pixels * pixels <= _FEW_PAIRS * strides * strides:
    return _convolve_dense(x, kernel, strides)
  return _convolve_on_device(x, kernel, strides)


@jax.custom_vjp
def _multiply(x, matrix):
  """Is a product whose gradient turns `x` round, and not what `g` is made of.

  JAX's own writes the kernel's gradient the other way, for which XLA computes
  the gradient of the norm behind, column by column.
  """
  return x @ matrix


def _multiply_backward(saved, g):
  x, matrix = saved
  if matrix.shape[1] == 1:  # A single row is quickly turned round.
    return g @ matrix.T, _product(g, x).T
  return g @ matrix.T, _product(x, g)


_multiply.defvjp(
  lambda x, matrix: (x @ matrix, (x, matrix)), _multiply_backward
)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolve_on_device(x, kernel, strides):
  """Convolves, also backwards, in the form for the backend."""
  plain = functools.partial(_convolve, strides=strides)
  if strides == 1 and x.shape[1] * x.shape[2] <= _PIXELS_BY_ROWS:
    return jax.lax.platform_dependent(
      x, kernel, cpu=_convolve_by_rows, default=plain
    )
  return plain(x, kernel)


def _forward(x, kernel, strides):
  return _convolve_on_device(x, kernel, strides), (x, kernel)


def _backward(strides, saved, g):
  x, kernel = saved
  size = kernel.shape[0]

  def kernel_by_transpose(x, g):
    back = jax.linear_transpose(lambda k: _convolve(x, k, strides), kernel)
    return back(g)[0]

  def kernel_by_products(x, g):
    if strides > 1:
      return _strided_kernel_gradient(x, g, size, strides)
    if x.shape[1] * x.shape[2] <= _PIXELS_BY_ROWS:
      return _kernel_gradient_by_rows(x, g, size)
    return _kernel_gradient(x, g, size)

  if strides == 1:
    # Turned by 180 degrees, inputs and outputs exchanged.
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    dx = _convolve_on_device(g, turned, 1)
  else:
    back = jax.linear_transpose(lambda x: _convolve(x, kernel, strides), x)
    (dx,) = back(g)
  return dx, jax.lax.platform_dependent(
    x, g, cpu=kernel_by_products, default=kernel_by_transpose
  )


_convolve_on_device.defvjp(_forward, _backward)


def _convolve(x, kernel, strides=1):
  """Is XLA's own convolution."""
  pad = kernel.shape[0] // 2
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (strides, strides),
    [(pad, pad), (pad, pad)],
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )


def _convolve_dense(x, kernel, strides):
  """Is one product with the kernel spread over pairs of pixels."""
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


def _convolve_by_rows(x, kernel):
  """Sums one product a kernel row, moved to its place."""
  size, _, _, features = kernel.shape
  columns = _row_neighbours(x, range(size))
  result = jnp.zeros((), x.dtype)
  for i in range(size):
    rows = columns @ kernel[i].reshape(-1, features)
    shift = i - size // 2
    edges = [(0, 0, 0), (-shift, shift, 0), (0, 0, 0), (0, 0, 0)]
    result = result + jax.lax.pad(rows, jnp.zeros((), x.dtype), edges)
  return result


def _kernel_gradient(x, g, size):
  """Is one product of the input with the shifted gradients of the output."""
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
  """Is one such product a kernel row, of the rows that meet."""
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
  """Is one product of the shifted input, thinned out, with the gradients."""
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
  """Joins the channels of a pixel with those beside it: `[B, H, W, S * C]`."""
  places, width = list(places), x.shape[2]
  padded = _pad(x, len(places) // 2, axes=(2,))
  return jnp.concatenate([padded[:, :, j : j + width] for j in places], -1)


def _pad(x, pad, *, axes):
  """Adds zeros, in a form that is computed once.

  `jnp.pad` would be computed anew, with all that `x` is made of, for each of
  its slices.
  """
  for axis in axes:
    shape = [pad if i == axis else side for i, side in enumerate(x.shape)]
    zeros = jnp.zeros(shape, x.dtype)
    x = jnp.concatenate([zeros, x, zeros], axis)
  return x


def _product(x, y):
  """Sums `[..., C]` times `[..., F]` over pixels."""
  return x.reshape(-1, x.shape[-1]).T @ y.reshape(-1, y.shape[-1])
