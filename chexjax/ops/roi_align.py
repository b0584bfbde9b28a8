"""RoIAlign (He et al. 2017) as a product with two interpolation matrices."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np

from chexjax.ops.interpolation import interpolation_matrix
from chexjax.ops.proposals import proposal_intervals


def _pooling_matrix(start, end, length, output_size, sampling_ratio, aligned):
  """Rows `[..., output_size, length]` that average each bin's samples.

  `start` and `end` are `[...]` in feature pixels.
  """
  if aligned:
    start, end = start - 0.5, end - 0.5
    extent = end - start
  else:
    extent = jnp.maximum(end - start, 1)
  count = output_size * sampling_ratio
  steps = (jnp.arange(count, dtype=extent.dtype) + 0.5) / count
  positions = start[..., None] + steps * extent[..., None]
  inside = (positions >= -1) & (positions <= length)
  rows = interpolation_matrix(positions, length) * inside[..., None]
  shape = (*start.shape, output_size, sampling_ratio, length)
  return rows.reshape(shape).mean(-2)


def roi_align(
  features: jax.Array,
  boxes: jax.Array,
  *,
  output_size: int = 5,
  sampling_ratio: int = 2,
  spatial_scale: float = 0.25,
  aligned: bool = False,
) -> jax.Array:
  """Pools features inside each box to a fixed grid, bilinearly.

  Samples more than a pixel outside of the map count as 0, nearer ones take
  the border's value. Without `aligned`, a box is at least one feature pixel
  wide and high, so that a zero-area box reads one pixel; its gradient to the
  box is finite.

  Args:
    features: `[H, W, C]` of one image.
    boxes: `[N, 4]` x1, y1, x2, y2 in pixels of the image.
    output_size: bins along each side.
    sampling_ratio: samples along each side of a bin.
    spatial_scale: feature pixels per image pixel.
    aligned: whether coordinates are shifted by half a feature pixel.

  Returns:
    `[N, output_size, output_size, C]`. As `torchvision.ops.roi_align`, for
    one image and NHWC.
  """
  chex.assert_rank([features, boxes], [3, 2])
  height, width, _ = features.shape
  x1, y1, x2, y2 = (boxes * spatial_scale).T
  options = (output_size, sampling_ratio, aligned)
  rows = _pooling_matrix(y1, y2, height, *options).astype(features.dtype)
  cols = _pooling_matrix(x1, x2, width, *options).astype(features.dtype)
  return jnp.einsum("nph,hwc,nqw->npqc", rows, features, cols)


def roi_align_proposals(
  features: jax.Array,
  *,
  stride: int = 4,
  output_size: int = 5,
  sampling_ratio: int = 2,
) -> jax.Array:
  """Pools the 395 fixed proposals; equals `roi_align` over them, but faster.

  The proposals of one size are all pairs of a few y and x intervals, so that
  pooling them is a product with one small constant matrix from each side. A
  row of these has at most four numbers that are not 0, a column mostly two: a
  CPU reads those, other backends multiply.

  Args:
    features: `[H, W, C]` of one image.
    stride: image pixels per feature pixel.
    output_size: bins along each side.
    sampling_ratio: samples along each side of a bin.

  Returns:
    `[395, output_size, output_size, C]` in the order of `make_proposals`.
  """
  chex.assert_rank(features, 3)
  height, width, channels = features.shape
  pooled = []
  for ys, xs in zip(
    proposal_intervals(height * stride), proposal_intervals(width * stride)
  ):
    rows, cols = (
      _constant_matrix(intervals / stride, length, output_size, sampling_ratio)
      for intervals, length in ((ys, height), (xs, width))
    )
    bins = _multiply(cols, 1)(_multiply(rows, 0)(features))
    bins = bins.reshape(
      len(ys), output_size, len(xs), output_size, channels
    ).swapaxes(1, 2)
    pooled.append(bins.reshape(-1, output_size, output_size, channels))
  return jnp.concatenate(pooled)


def _constant_matrix(intervals, length, output_size, sampling_ratio):
  """Returns a numpy matrix `[intervals * output_size, length]`."""
  with jax.ensure_compile_time_eval():
    matrix = _pooling_matrix(
      jnp.asarray(intervals[:, 0]),
      jnp.asarray(intervals[:, 1]),
      length,
      output_size,
      sampling_ratio,
      aligned=False,
    )
  return np.asarray(matrix).reshape(-1, length)


def _multiply(matrix, axis):
  """Returns what multiplies an array by a constant matrix along an axis."""
  if jax.default_backend() != "cpu":
    return lambda x: jnp.moveaxis(
      jnp.tensordot(matrix.astype(x.dtype), x, (1, axis)), 0, axis
    )
  run = jax.custom_vjp(functools.partial(_add_taps, matrix, axis))
  # Reads again: JAX's own gradient of a read adds to one place at a time.
  run.defvjp(
    lambda x: (run(x), None), lambda _, g: (_add_taps(matrix.T, axis, g),)
  )
  return run


def _add_taps(matrix, axis, x):
  """Adds up what the matrix does not multiply by 0, in float32 at least."""
  count = (matrix != 0).sum(1).max()
  places = np.argsort(matrix == 0, 1, kind="stable")[:, :count]
  weights = np.take_along_axis(matrix, places, 1)
  wide = jnp.promote_types(x.dtype, jnp.float32)
  shape = [-1 if i == axis else 1 for i in range(x.ndim)]
  total = jnp.zeros((), wide)
  for place, weight in zip(places.T, weights.T):
    read = jnp.take(x, place, axis, mode="clip").astype(wide)
    total = total + read * weight.reshape(shape).astype(wide)
  return total.astype(x.dtype)
