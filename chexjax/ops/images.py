"""From the bytes on the wire to what the network sees, and augmentation."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


def normalize(images: jax.Array) -> jax.Array:
  """Replicates grey to three channels with ImageNet's mean and deviation.

  Args:
    images: `[..., H, W, 1]`, grey 0..255, uint8 or float.

  Returns:
    `[..., H, W, 3]` float32.
  """
  chex.assert_axis_dimension(images, -1, 1)
  return (images.astype(jnp.float32) / 255 - IMAGENET_MEAN) / IMAGENET_STD


def affine_warp(image: jax.Array, matrix: jax.Array) -> jax.Array:
  """Resamples an image bilinearly; what falls outside is 0.

  Args:
    image: `[H, W, C]` float.
    matrix: `[2, 3]` from output x, y (pixels, origin at the image's centre)
      to input x, y.

  Returns:
    `[H, W, C]`. As `skimage.transform.warp(order=1, mode="constant")`, but
    around the image's centre.
  """
  height, width, _ = image.shape
  centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
  y, x = jnp.mgrid[:height, :width]
  grid = jnp.stack([x - centre_x, y - centre_y, jnp.ones_like(x, jnp.float32)])
  source_x, source_y = jnp.tensordot(matrix, grid, 1)
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
) -> jax.Array:
  """Draws zoom, translation, rotation and flip as one affine map.

  Args:
    key: of the draw.
    height: of the image, in pixels.
    width: of the image, in pixels.
    zoom: largest enlargement; drawn from 0..zoom.
    translate: largest shift either way, as a fraction of the side (the
      paper's 50 pixels of 512).
    rotate: largest angle either way, in degrees.
    flip: whether to mirror left and right in half of the cases.

  Returns:
    `[2, 3]` as `affine_warp` and `boxes.warp` take it.
  """
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
  return jnp.array([[sign * cos, -sin, shift[0]], [sign * sin, cos, shift[1]]])


def augment(key: jax.Array, image: jax.Array, **options: Any) -> jax.Array:
  """Draws an `augment_matrix` and applies it.

  Args:
    key: of the draw.
    image: `[H, W, 1]` grey 0..255, uint8 or float.
    **options: `zoom`, `translate`, `rotate`, `flip` of `augment_matrix`.

  Returns:
    `[H, W, 1]` float32, 0..255.
  """
  height, width, _ = image.shape
  matrix = augment_matrix(key, height=height, width=width, **options)
  return affine_warp(image.astype(jnp.float32), matrix)
