"""Crops of an image, differentiable in the image and in the box."""

import chex
import jax
import jax.numpy as jnp

from chexjax.ops.interpolation import interpolation_matrix


def crop_bilinear(
  image: jax.Array, box: jax.Array, *, size: int = 64
) -> jax.Array:
  """Crops a box and resizes it to `size` by bilinear sampling.

  Output pixel i samples the centre of the i-th of `size` equal strips of the
  box; outside of the image the border's value is repeated. There is no
  antialiasing. A zero-area box reads one point.

  Args:
    image: `[H, W, C]`.
    box: `[4]` x1, y1, x2, y2 in pixels, x2 and y2 exclusive.
    size: side of the crop, in pixels.

  Returns:
    `[size, size, C]`. The crop of the whole image at its own size is the
    image. As `tf.image.crop_and_resize`, except that pixels are areas, not
    points, so corners are not sampled exactly.
  """
  chex.assert_rank([image, box], [3, 1])
  steps = (jnp.arange(size, dtype=box.dtype) + 0.5) / size
  x1, y1, x2, y2 = box
  rows = interpolation_matrix(y1 + steps * (y2 - y1) - 0.5, image.shape[0])
  cols = interpolation_matrix(x1 + steps * (x2 - x1) - 0.5, image.shape[1])
  return jnp.einsum("ih,hwc,jw->ijc", rows, image, cols)


def _gaussian_rows(centre, extent, length, longest, size, sigma2):
  """Filters `[size, length]`; `centre` in -1..1, `extent` a fraction."""
  steps = jnp.arange(size, dtype=centre.dtype) - size / 2 - 0.5
  stride = (longest - 1) / (size - 1) * extent
  mean = (length + 1) / 2 * (centre + 1) + steps * stride
  offset = jnp.arange(length, dtype=centre.dtype) - mean[:, None]
  rows = jnp.exp(-(offset**2) / (2 * sigma2))
  return rows / jnp.maximum(rows.sum(-1, keepdims=True), 1e-8)


def crop_gaussian(
  image: jax.Array, box: jax.Array, *, size: int = 64, sigma2: float = 1.0
) -> jax.Array:
  """Reads a box through a grid of Gaussians, as the released model does.

  Args:
    image: `[H, W, C]`.
    box: `[4]` x1, y1, x2, y2 in pixels.
    size: Gaussians along each side.
    sigma2: their variance in square pixels.

  Returns:
    `[size, size, C]`. As the read of DRAW (Gregor et al. 2015), except that
    the stride is free in x and y and the variance is fixed.
  """
  chex.assert_rank([image, box], [3, 1])
  height, width, _ = image.shape
  x1, y1, x2, y2 = box
  options = (max(height, width), size, sigma2)
  rows = _gaussian_rows(
    (y1 + y2) / height - 1, (y2 - y1) / height, height, *options
  )
  cols = _gaussian_rows(
    (x1 + x2) / width - 1, (x2 - x1) / width, width, *options
  )
  return jnp.einsum("ih,hwc,jw->ijc", rows, image, cols)
