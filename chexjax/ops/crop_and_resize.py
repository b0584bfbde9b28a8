"""Crops of an image, differentiable in the image and in the box."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_positive, check_shape, check_size
from chexjax.ops.interpolation import interpolation_matrix


def crop_bilinear(
  image: jax.Array, box: jax.Array, *, size: int | tuple[int, int] = 64
) -> jax.Array:
  """Crop a box and resize it to `size` by bilinear sampling.

  Output pixel i samples the centre of the i-th of `size` equal strips of the
  box; outside of the image the border's value is repeated. There is no
  antialiasing. A zero-area box reads one point.

  Args:
    image: `[H, W, C]` float, of any range.
    box: `[4]` x1, y1, x2, y2 in pixels, x2 and y2 exclusive.
    size: side of the crop, or its height and width, in pixels.

  Returns:
    `[height, width, C]`. The crop of the whole image at its own size is the
    image; when it enlarges, it is `skimage.transform.resize(order=1,
    mode="edge")`. As `tf.image.crop_and_resize`, except that pixels are
    areas, not points, so corners are not sampled exactly.

  Raises:
    ValueError: if an argument has another shape, such as a batch of images,
      or a side of `size` is not a positive integer.

  Example:
    >>> image = jnp.arange(16.0).reshape(4, 4, 1)
    >>> crop_bilinear(image, jnp.array([1.0, 1, 3, 3]), size=2)[..., 0].tolist()
    [[5.0, 6.0], [9.0, 10.0]]
    >>> whole = crop_bilinear(image, jnp.array([0.0, 0, 4, 4]), size=4)
    >>> bool((whole == image).all())
    True
  """
  check_shape("image", image, "[H, W, C]")
  check_shape("box", box, "[4]")
  height, width = check_size("size", size)
  x1, y1, x2, y2 = box
  rows = interpolation_matrix(_strip_centres(y1, y2, height), image.shape[0])
  cols = interpolation_matrix(_strip_centres(x1, x2, width), image.shape[1])
  return _sampled(rows, image, cols)


def _strip_centres(start, end, count):
  """Return the centres `[count]` of a span's equal strips, as pixel indices."""
  steps = (jnp.arange(count, dtype=start.dtype) + 0.5) / count
  return start + steps * (end - start) - 0.5


def crop_gaussian(
  image: jax.Array,
  box: jax.Array,
  *,
  size: int | tuple[int, int] = 64,
  sigma2: float = 1.0,
) -> jax.Array:
  """Crop a box through a grid of Gaussians, as the released model does.

  Two rules of the released code surprise: the grid is off the box's centre by
  about one pixel minus one step of the grid, and steps are taken from the
  image's longer side, so that a crop of an image that is not square reads too
  far along the shorter side. A Gaussian far outside of the image reads 0.

  Args:
    image: `[H, W, C]` float, of any range.
    box: `[4]` x1, y1, x2, y2 in pixels, x2 and y2 exclusive.
    size: Gaussians along each side, or along y and x; at least 2.
    sigma2: their variance in square pixels, positive.

  Returns:
    `[height, width, C]`. As the read of DRAW (Gregor et al. 2015), except that
    the stride is free in x and y and the variance is fixed.

  Raises:
    ValueError: if an argument has another shape, such as a batch of images, a
      side of `size` is not an integer of at least 2, or `sigma2` is a number
      that is not positive; a `jax.Array`, traced or not, is not read.
  """
  check_shape("image", image, "[H, W, C]")
  check_shape("box", box, "[4]")
  check_positive("sigma2", sigma2)
  num_rows, num_cols = check_size("size", size, least=2)
  height, width, _ = image.shape
  longest = max(height, width)
  x1, y1, x2, y2 = box
  rows = _gaussian_rows(
    (y1 + y2) / height - 1,
    (y2 - y1) / height,
    height,
    longest,
    num_rows,
    sigma2,
  )
  cols = _gaussian_rows(
    (x1 + x2) / width - 1, (x2 - x1) / width, width, longest, num_cols, sigma2
  )
  return _sampled(rows, image, cols)


def _sampled(rows, image, cols):
  """Multiply an image by the weights of its rows and columns, exactly."""
  return jnp.einsum("ih,hwc,jw->ijc", rows, image, cols, precision="highest")


def _gaussian_rows(centre, extent, length, longest, size, sigma2):
  """Return filters `[size, length]`.

  `centre` is in -1..1, `extent` a fraction of the image's side.
  """
  steps = jnp.arange(size, dtype=centre.dtype) - size / 2 - 0.5
  stride = (longest - 1) / (size - 1) * extent
  mean = (length + 1) / 2 * (centre + 1) + steps * stride
  offset = jnp.arange(length, dtype=centre.dtype) - mean[:, None]
  rows = jnp.exp(-(offset**2) / (2 * sigma2))
  # Far outside of the image every weight underflows, and 0 / 0 is NaN.
  return rows / jnp.maximum(rows.sum(-1, keepdims=True), 1e-8)
