"""From the bytes on the wire to what the network sees, and augmentation."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chexjax.ops import grey
from chexjax.ops.checks import check_count, check_positive, check_shape

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


def normalize(images: jax.Array) -> jax.Array:
  """Replicate grey to three channels with ImageNet's mean and deviation.

  Args:
    images: `[..., H, W, 1]`, grey 0..255, uint8 or float.

  Returns:
    `[..., H, W, 3]` float32. As `torchvision.transforms.Normalize` after
    `ToTensor`, except that floats are 0..255 too, not 0..1.

  Raises:
    ValueError: if `images` has another shape or type, or is a numpy array of
      floats that are all at most 1 but not all 0, as an image of 0..1 is. A
      `jax.Array`, traced or not, is not read.
  """
  check_shape("images", images, "[..., H, W, 1]")
  _check_grey(images)
  return (images.astype(jnp.float32) / 255 - IMAGENET_MEAN) / IMAGENET_STD


def _check_grey(images):
  """Raise if images cannot be grey values of 0..255."""
  floats = jnp.issubdtype(images.dtype, jnp.floating)
  if not floats and images.dtype != np.uint8:
    raise ValueError(
      f"images must be uint8 or float, grey 0..255, got {images.dtype}"
    )
  if floats and isinstance(images, np.ndarray) and images.any():
    highest = images.max()
    if highest <= 1:
      raise ValueError(
        f"images must hold grey values of 0..255, got at most {highest}: "
        "multiply images of 0..1 by 255"
      )


def affine_warp(image: jax.Array, matrix: jax.Array) -> jax.Array:
  """Resample an image bilinearly; what falls outside is 0.

  Less than a pixel beyond the outer pixels' centres, the border fades to 0.

  Args:
    image: `[H, W, C]` float, of any range.
    matrix: `[2, 3]` from output x, y (pixels, origin at the image's centre)
      to input x, y.

  Returns:
    `[H, W, C]`. As `skimage.transform.warp(order=1, mode="constant")`, but
    around the image's centre.

  Raises:
    ValueError: if an argument has another shape, such as a batch of images.
  """
  check_shape("image", image, "[H, W, C]")
  check_shape("matrix", matrix, "[2, 3]")
  height, width, _ = image.shape
  centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
  y, x = jnp.mgrid[:height, :width]
  grid = jnp.stack([x - centre_x, y - centre_y, jnp.ones_like(x, jnp.float32)])
  # In TF32 or bfloat16 a coordinate would be off by up to a pixel.
  source_x, source_y = jnp.tensordot(matrix, grid, 1, precision="highest")
  coordinates = [source_y + centre_y, source_x + centre_x]
  return jax.vmap(
    lambda channel: jax.scipy.ndimage.map_coordinates(
      channel, coordinates, order=1, mode="constant"
    ),
    in_axes=-1,
    out_axes=-1,
  )(image)


def augment_matrix(
  key: jax.Array,
  *,
  height: int,
  width: int,
  zoom: float = 0.1,
  translate: float = 50 / 512,
  rotate: float = 10.0,
  flip: bool = True,
  shear: float = 0.0,
) -> jax.Array:
  """Draw zoom, translation, rotation, flip and shear as one affine map.

  Args:
    key: of the draw.
    height: of the image, in pixels.
    width: of the image, in pixels.
    zoom: largest enlargement, as a fraction: 0.1 is by a tenth.
    translate: largest shift either way, as a fraction of the side (the
      paper's 50 pixels of 512).
    rotate: largest angle either way, in degrees.
    flip: whether to mirror left and right in half of the draws.
    shear: largest shear along x either way, in degrees.

  Returns:
    `[2, 3]` from output to input x, y, in pixels around the image's centre, as
    `affine_warp` and `boxes.warp` take it. As the draw of
    `torchvision.transforms.RandomAffine`, except that the mirror is part of
    it and the zoom only enlarges.

  Raises:
    ValueError: if a side is not a positive integer, or `zoom`, `translate`,
      `rotate` or `shear` is a negative number; a `jax.Array`, traced or not,
      is not read.
  """
  check_count("height", height)
  check_count("width", width)
  check_positive("zoom", zoom, or_zero=True)
  check_positive("translate", translate, or_zero=True)
  check_positive("rotate", rotate, or_zero=True)
  check_positive("shear", shear, or_zero=True)
  zoom_key, shift_key, angle_key, flip_key = jax.random.split(key, 4)
  scale = 1 / (1 + jax.random.uniform(zoom_key, maxval=zoom))
  shift = jax.random.uniform(
    shift_key, (2,), minval=-translate, maxval=translate
  ) * jnp.array([width, height])
  angle = jnp.deg2rad(
    jax.random.uniform(angle_key, minval=-rotate, maxval=rotate)
  )
  sign = jnp.where(jax.random.bernoulli(flip_key) & flip, -1.0, 1.0)
  cos, sin = scale * jnp.cos(angle), scale * jnp.sin(angle)
  matrix = jnp.array(
    [[sign * cos, -sin, shift[0]], [sign * sin, cos, shift[1]]]
  )
  if isinstance(shear, int | float) and not shear:
    return matrix  # No draw, so that the program is that without the option.
  slant = jnp.tan(
    jnp.deg2rad(
      jax.random.uniform(
        jax.random.fold_in(key, 4), minval=-shear, maxval=shear
      )
    )
  )
  return matrix.at[:, 1].add(slant * matrix[:, 0])


def augment(
  key: jax.Array,
  image: jax.Array,
  *,
  contrast: float = 0.0,
  gamma: float = 0.0,
  noise: float = 0.0,
  cut_out: float = 0.0,
  **options: Any,
) -> jax.Array:
  """Draw an `augment_matrix` and apply it; vary the grey values.

  Args:
    key: of the draw.
    image: `[H, W, 1]` grey 0..255, uint8 or float.
    contrast: of `vary_grey`.
    gamma: of `vary_grey`.
    noise: of `vary_grey`.
    cut_out: of `cut_out`: largest side of the patch.
    **options: `zoom`, `translate`, `rotate`, `flip`, `shear` of
      `augment_matrix`.

  Returns:
    `[H, W, 1]` float32, 0..255; what falls outside of the image is 0.

  Raises:
    ValueError: if `image` has another shape, such as a batch of images, or an
      option is out of its range (see `augment_matrix` and `vary_grey`).
  """
  check_shape("image", image, "[H, W, 1]")
  height, width, _ = image.shape
  matrix = augment_matrix(key, height=height, width=width, **options)
  image = affine_warp(image.astype(jnp.float32), matrix)
  if contrast or gamma or noise:
    grey_key = jax.random.fold_in(key, 5)
    image = grey.vary_grey(
      grey_key, image, contrast=contrast, gamma=gamma, noise=noise
    )
  if cut_out:
    image = grey.cut_out(jax.random.fold_in(key, 6), image, side=cut_out)
  return image
