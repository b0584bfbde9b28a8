"""RoIAlign (He et al. 2017) as two interpolation matrices and one einsum."""

import chex
import jax
import jax.numpy as jnp

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
  pooling them is a product with one small constant matrix from each side.

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
      _pooling_matrix(
        jnp.asarray(intervals[:, 0] / stride),
        jnp.asarray(intervals[:, 1] / stride),
        length,
        output_size,
        sampling_ratio,
        aligned=False,
      )
      .reshape(-1, length)
      .astype(features.dtype)
      for intervals, length in ((ys, height), (xs, width))
    )
    bins = jnp.einsum("bw,awc->abc", cols, jnp.tensordot(rows, features, 1))
    bins = bins.reshape(
      len(ys), output_size, len(xs), output_size, channels
    ).swapaxes(1, 2)
    pooled.append(bins.reshape(-1, output_size, output_size, channels))
  return jnp.concatenate(pooled)
