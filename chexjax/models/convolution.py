"""Convolution in the forms that XLA's CPU backend is quick at.

The kernel gradient of a 3x3 convolution takes two to four times as long as one
product of the input with the shifted gradients. A map of a few pixels is
convolved faster by one dense product, and has no layout to be changed.
"""

import jax
import jax.numpy as jnp
import numpy as np

# Up to this many pixels a dense product is the quicker form.
_FEW_PIXELS = 9


def _convolve(x, kernel, strides=1):
  pad = kernel.shape[0] // 2
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (strides, strides),
    [(pad, pad), (pad, pad)],
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )


def _kernel_gradient_by_product(x, g, size):
  height, width = x.shape[1:3]
  pad = size // 2
  padded = jnp.pad(g, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
  shifted = [
    padded[:, i : i + height, j : j + width]
    for i in reversed(range(size))
    for j in reversed(range(size))
  ]
  columns = jnp.concatenate(shifted, -1).reshape(-1, size * size * g.shape[-1])
  product = x.reshape(-1, x.shape[-1]).T @ columns
  product = product.reshape(x.shape[-1], size, size, g.shape[-1])
  return product.transpose(1, 2, 0, 3)


@jax.custom_vjp
def _convolve_unstrided(x, kernel):
  return _convolve(x, kernel)


def _forward(x, kernel):
  return _convolve(x, kernel), (x, kernel)


def _backward(saved, g):
  x, kernel = saved

  def by_transpose(x, g):
    return jax.linear_transpose(lambda k: _convolve(x, k), kernel)(g)[0]

  def by_product(x, g):
    return _kernel_gradient_by_product(x, g, kernel.shape[0])

  (dx,) = jax.linear_transpose(lambda x: _convolve(x, kernel), x)(g)
  return dx, jax.lax.platform_dependent(
    x, g, cpu=by_product, default=by_transpose
  )


_convolve_unstrided.defvjp(_forward, _backward)


def _convolve_dense(x, kernel):
  """Convolves as one product with the kernel spread over pairs of pixels."""
  batch, height, width, channels = x.shape
  size = kernel.shape[0]
  spread = np.zeros((height * width, height * width, size * size))
  rows, cols = np.divmod(np.arange(height * width), width)
  i = rows[:, None] - rows + size // 2
  j = cols[:, None] - cols + size // 2
  read, written = np.nonzero((i >= 0) & (i < size) & (j >= 0) & (j < size))
  spread[read, written, (i * size + j)[read, written]] = 1
  matrix = jnp.einsum(
    "pqk,kcf->pcqf",
    spread.astype(kernel.dtype),
    kernel.reshape(size * size, channels, -1),
  ).reshape(height * width * channels, -1)
  return (x.reshape(batch, -1) @ matrix).reshape(batch, height, width, -1)


def convolve(x: jax.Array, kernel: jax.Array, *, strides: int = 1) -> jax.Array:
  """Convolves with PyTorch's symmetric padding of half the kernel.

  Args:
    x: `[B, H, W, C]`.
    kernel: `[S, S, C, F]`, S odd, of the same type.
    strides: step in both directions.

  Returns:
    `[B, H / strides, W / strides, F]`. As `jax.lax.conv_general_dilated`,
    except that there is no forward-mode gradient where `strides` is 1.
  """
  if strides == 1 and x.shape[1] * x.shape[2] <= _FEW_PIXELS:
    return _convolve_dense(x, kernel)
  if strides == 1:
    return _convolve_unstrided(x, kernel)
  return _convolve(x, kernel, strides)
