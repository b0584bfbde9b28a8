"""RoIAlign (He et al. 2017) as a product with two interpolation matrices."""

import functools

import jax
import jax.numpy as jnp

from chexjax.ops import _constant_product, _precision
from chexjax.ops._pooling_matrix import constant_matrices, pooling_matrix
from chexjax.ops.checks import (
  check_count,
  check_finite,
  check_shape,
  check_size,
)


def roi_align(
  features: jax.Array,
  boxes: jax.Array,
  *,
  output_size: int | tuple[int, int] = 5,
  sampling_ratio: int = 2,
  spatial_scale: float = 0.25,
  aligned: bool = False,
) -> jax.Array:
  """Pool features inside each box to a fixed grid, bilinearly.

  A sample more than a pixel outside of the map counts as 0, a nearer one takes
  the border's value. Without `aligned`, a box is at least one feature pixel
  wide and high. So a zero-area box reads one pixel, and its gradient is finite.

  Args:
    features: `[H, W, C]` of one image, the channels last. PyTorch's maps have
      the channels first: `jnp.moveaxis(features, 0, -1)` turns `[C, H, W]`
      into this layout.
    boxes: `[N, 4]` x1, y1, x2, y2 in pixels of the image.
    output_size: bins along each side, or a tuple of those along the height and
      along the width.
    sampling_ratio: samples along each side of a bin.
    spatial_scale: feature pixels per image pixel.
    aligned: whether coordinates are shifted by half a feature pixel.

  Returns:
    `[N, *output_size, C]`. As `torchvision.ops.roi_align`, for one image and
    with the channels last.

  Raises:
    ValueError: for an array of another shape, sizes below 1, or NaN or an
      infinity among boxes that are a numpy array. A `jax.Array`, traced or
      not, is not read: NaN in it gives NaN.

  Example:
    >>> features = jnp.arange(64.0).reshape(8, 8, 1)  # of a 32 x 32 image
    >>> boxes = jnp.array([[0.0, 0.0, 16.0, 16.0], [16.0, 0.0, 32.0, 32.0]])
    >>> roi_align(features, boxes, output_size=2).shape
    (2, 2, 2, 1)
    >>> roi_align(features, boxes, output_size=1)[:, 0, 0, 0].tolist()
    [18.0, 38.0]
  """
  check_shape("features", features, "[H, W, C]")
  check_shape("boxes", boxes, "[N, 4]")
  check_finite("boxes", boxes)
  check_count("sampling_ratio", sampling_ratio)
  bins_high, bins_wide = check_size("output_size", output_size)
  height, width, _ = features.shape
  x1, y1, x2, y2 = (boxes * spatial_scale).T
  matrix = functools.partial(
    pooling_matrix, sampling_ratio=sampling_ratio, aligned=aligned
  )
  rows = matrix(y1, y2, length=height, bins=bins_high)
  cols = matrix(x1, x2, length=width, bins=bins_wide)
  rows, cols = rows.astype(features.dtype), cols.astype(features.dtype)
  return jnp.einsum(
    "nph,hwc,nqw->npqc",
    rows,
    features,
    cols,
    precision=_precision.for_type(features.dtype),
  )


def roi_align_proposals(
  features: jax.Array,
  *,
  stride: int = 4,
  output_size: int | tuple[int, int] = 5,
  sampling_ratio: int = 2,
) -> jax.Array:
  """Pool the 395 fixed proposals; as `roi_align` over them, but faster.

  The proposals of one size are all pairs of a few y and x intervals. So pooling
  them is a product with one small constant matrix from each side.

  Args:
    features: `[H, W, C]` of one image, the channels last.
    stride: image pixels per feature pixel.
    output_size: bins along each side, or a tuple of those along the height and
      along the width.
    sampling_ratio: samples along each side of a bin.

  Returns:
    `[395, *output_size, C]` in the order of `make_proposals`.

  Raises:
    ValueError: for an array of another shape, or sizes below 1.
  """
  check_shape("features", features, "[H, W, C]")
  check_count("sampling_ratio", sampling_ratio)
  bins_high, bins_wide = check_size("output_size", output_size)
  height, width, channels = features.shape
  matrices = functools.partial(
    constant_matrices,
    stride=stride,
    sampling_ratio=sampling_ratio,
    dtype=jnp.result_type(float),  # float64 where JAX has it enabled
  )
  pooled = []
  for rows, cols in zip(
    matrices(height, bins=bins_high), matrices(width, bins=bins_wide)
  ):
    bins = _constant_product.multiply(rows, features, axis=0)
    bins = _constant_product.multiply(cols, bins, axis=1)
    bins = bins.reshape(
      -1, bins_high, len(cols) // bins_wide, bins_wide, channels
    )
    pooled.append(
      bins.swapaxes(1, 2).reshape(-1, bins_high, bins_wide, channels)
    )
  return jnp.concatenate(pooled)
