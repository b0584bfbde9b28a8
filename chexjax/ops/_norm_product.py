"""Norm, LeakyReLU and product of heads that share a map, in kernels for a GPU.

XLA writes a normed copy of the map for each head, reads it for the product, and
does so once more for the gradient. These kernels norm a tile of the map where
they multiply it, and pass over the map once for all heads.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

_SLOPE = 0.1
# Sides of a tile: pixels, channels that are read, pixels of a kernel gradient.
_PIXELS, _CHANNELS, _STEP = 128, 128, 64
# Sums of the kernel's gradient, each of its own part of the pixels.
_PARTS = 64

Results = tuple[list[jax.Array], jax.Array, jax.Array]


def fits(x: jax.Array, features: int) -> bool:
  """Return whether the kernels take a map `[N, C]` and heads of `features`.

  A GPU at hand that is older than Ampere does not multiply bfloat16.
  """
  pixels, channels = x.shape
  capability = getattr(jax.local_devices()[0], "compute_capability", "8.0")
  return (
    x.dtype == jnp.bfloat16
    and pixels % _PIXELS == 0
    and channels % _CHANNELS == 0
    and features in (16, 32, 64, 128)
    and x.size < 2**31  # An element's place is 32 bits long.
    and float(capability) >= 8
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(4,))
def norm_product(
  x: jax.Array,
  factor: jax.Array,
  offset: jax.Array,
  kernel: jax.Array,
  interpret: bool = False,
) -> Results:
  """Return `leaky_relu(x * factor + offset) @ kernel` of each head.

  Args:
    x: `[N, C]` bfloat16.
    factor: `[K, C]` float32.
    offset: `[K, C]` float32.
    kernel: `[K, C, F]` bfloat16.
    interpret: whether JAX carries out the kernels, on any platform.

  Returns:
    A product `[N, F]` of each head, in bfloat16; over its pixels the mean
    `[K, F]` and the mean square `[K, F]`, in float32.
  """
  return _products(x, factor, offset, kernel, interpret)


def _products(x, factor, offset, kernel, interpret) -> Results:
  (pixels, channels), heads = x.shape, len(factor)
  features = kernel.shape[-1]
  tiles = pixels // _PIXELS
  moments = jax.ShapeDtypeStruct((tiles, heads, features), jnp.float32)
  one = pl.BlockSpec((None, heads, features), lambda i: (i, 0, 0))
  *products, total, square = pl.pallas_call(
    _multiply,
    grid=(tiles,),
    in_specs=[
      pl.BlockSpec((_PIXELS, channels), lambda i: (i, 0)),
      pl.BlockSpec((heads, channels), lambda i: (0, 0)),
      pl.BlockSpec((heads, channels), lambda i: (0, 0)),
      pl.BlockSpec((heads, channels, features), lambda i: (0, 0, 0)),
    ],
    out_specs=[
      *[pl.BlockSpec((_PIXELS, features), lambda i: (i, 0))] * heads,
      one,
      one,
    ],
    out_shape=[
      *[jax.ShapeDtypeStruct((pixels, features), x.dtype)] * heads,
      moments,
      moments,
    ],
    name="norm_product",
    **_options(interpret),
  )(x, factor, offset, kernel)
  return products, total.sum(0) / pixels, square.sum(0) / pixels


def _options(interpret: bool) -> dict[str, Any]:
  params = triton.CompilerParams(num_warps=8, num_stages=2)
  return {"interpret": interpret, "compiler_params": params}


def _multiply(x_ref, factor_ref, offset_ref, kernel_ref, *out_refs):
  """Multiply a tile of pixels for all heads."""
  *product_refs, total_ref, square_ref = out_refs
  for head, product_ref in enumerate(product_refs):
    total = jnp.zeros(product_ref.shape, jnp.float32)
    for start in range(0, x_ref.shape[1], _CHANNELS):
      part = slice(start, start + _CHANNELS)
      factor, offset = factor_ref[head, part], offset_ref[head, part]
      y = _activate(x_ref[:, part], factor, offset)
      total += triton.dot(y, kernel_ref[head, part, :])
    product = total.astype(product_ref.dtype)
    product_ref[...] = product
    wide = product.astype(jnp.float32)
    total_ref[head, :] = wide.sum(0)
    square_ref[head, :] = jnp.square(wide).sum(0)


def _activate(x, factor, offset):
  y = x.astype(jnp.float32) * factor + offset
  return jnp.where(y >= 0, y, _SLOPE * y).astype(x.dtype)


def _forward(x, factor, offset, kernel, interpret):
  results = _products(x, factor, offset, kernel, interpret)
  return results, (x, factor, offset, kernel, results[0])


def _backward(interpret, kept, cotangents):
  x, factor, offset, kernel, products = kept
  given, mean, square = cotangents
  # The moments are of the products.
  given = [
    (g + (m + 2 * p.astype(jnp.float32) * s) / len(x)).astype(g.dtype)
    for g, p, m, s in zip(given, products, mean, square)
  ]
  back = _map_gradient(x, factor, offset, kernel, given, interpret)
  kernels = [
    _kernel_gradient(x, f, o, g, interpret)
    for f, o, g in zip(factor, offset, given)
  ]
  return *back, jnp.stack(kernels).astype(kernel.dtype)


norm_product.defvjp(_forward, _backward)


def _map_gradient(
  x: jax.Array,
  factor: jax.Array,
  offset: jax.Array,
  kernel: jax.Array,
  given: Sequence[jax.Array],
  interpret: bool,
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Return the gradients of `x`, `factor` and `offset`."""
  (pixels, channels), heads = x.shape, len(factor)
  features = kernel.shape[-1]
  tile = pl.BlockSpec((_STEP, _CHANNELS), lambda i, j: (i, j))
  row = pl.BlockSpec((heads, _CHANNELS), lambda i, j: (0, j))
  part = pl.BlockSpec((None, heads, _CHANNELS), lambda i, j: (i, 0, j))
  tiles = pixels // _STEP
  sums = jax.ShapeDtypeStruct((tiles, heads, channels), jnp.float32)
  of_x, of_factor, of_offset = pl.pallas_call(
    _multiply_back,
    grid=(tiles, channels // _CHANNELS),
    in_specs=[
      tile,
      row,
      row,
      pl.BlockSpec((heads, _CHANNELS, features), lambda i, j: (0, j, 0)),
      *[pl.BlockSpec((_STEP, features), lambda i, j: (i, 0))] * heads,
    ],
    out_specs=[tile, part, part],
    out_shape=[jax.ShapeDtypeStruct(x.shape, x.dtype), sums, sums],
    name="norm_product_map_gradient",
    **_options(interpret),
  )(x, factor, offset, kernel, *given)
  return of_x, of_factor.sum(0), of_offset.sum(0)


def _multiply_back(x_ref, factor_ref, offset_ref, kernel_ref, *refs):
  """Add up the gradient of a tile of the map over all heads."""
  *given_refs, out_ref, of_factor_ref, of_offset_ref = refs
  x = x_ref[...].astype(jnp.float32)
  total = jnp.zeros(x.shape, jnp.float32)
  for head, given_ref in enumerate(given_refs):
    factor, offset = factor_ref[head, :], offset_ref[head, :]
    back = triton.dot(given_ref[...], kernel_ref[head, :, :], trans_b=True)
    back = jnp.where(x * factor + offset >= 0, back, _SLOPE * back)
    total += back * factor
    of_factor_ref[head, :] = (back * x).sum(0)
    of_offset_ref[head, :] = back.sum(0)
  out_ref[...] = total.astype(out_ref.dtype)


def _kernel_gradient(x, factor, offset, given, interpret):
  """Return the gradient `[C, F]` of one head's kernel, in float32."""
  (pixels, channels), features = x.shape, given.shape[1]
  parts = math.gcd(pixels // _PIXELS, _PARTS)
  each = pixels // parts
  row = pl.BlockSpec((_CHANNELS,), lambda i, j: (j,))
  out = pl.BlockSpec((None, _CHANNELS, features), lambda i, j: (i, j, 0))
  sums = pl.pallas_call(
    _multiply_turned,
    grid=(parts, channels // _CHANNELS),
    in_specs=[
      pl.BlockSpec((each, _CHANNELS), lambda i, j: (i, j)),
      row,
      row,
      pl.BlockSpec((each, features), lambda i, j: (i, 0)),
    ],
    out_specs=out,
    out_shape=jax.ShapeDtypeStruct((parts, channels, features), jnp.float32),
    name="norm_product_kernel_gradient",
    **_options(interpret),
  )(x, factor, offset, given)
  return sums.sum(0)


def _multiply_turned(x_ref, factor_ref, offset_ref, given_ref, out_ref):
  """Add up a kernel's gradient over some of the pixels."""
  factor, offset = factor_ref[...], offset_ref[...]

  def add(step, total):
    rows = pl.ds(step * _STEP, _STEP)
    y = _activate(x_ref[rows, :], factor, offset)
    return total + triton.dot(y, given_ref[rows, :], trans_a=True)

  start = jnp.zeros(out_ref.shape, jnp.float32)
  out_ref[...] = jax.lax.fori_loop(0, x_ref.shape[0] // _STEP, add, start)
