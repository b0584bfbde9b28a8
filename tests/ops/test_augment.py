"""The augmentation against scikit-image, and its boxes against its masks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.transform import AffineTransform, warp

from chexjax import ops

SHAPE = (40, 56)
OPTIONS = {"height": SHAPE[0], "width": SHAPE[1]}


def with_scikit_image(image, matrix):
  """Applies a centred `[2, 3]` map with scikit-image, in float64."""
  height, width = image.shape
  centre = AffineTransform(translation=((width - 1) / 2, (height - 1) / 2))
  whole = np.vstack([np.asarray(matrix, np.float64), [0, 0, 1]])
  params = centre.params @ whole @ np.linalg.inv(centre.params)
  return warp(image, AffineTransform(params), order=1, cval=0)


@pytest.mark.parametrize("seed", range(6))
def test_warp_agrees_with_scikit_image_border_included(seed):
  image = np.random.default_rng(seed).uniform(0, 255, SHAPE)
  matrix = ops.augment_matrix(
    jax.random.key(seed), **OPTIONS, rotate=20, translate=0.2
  )
  got = ops.affine_warp(jnp.asarray(image, jnp.float32)[..., None], matrix)
  want = with_scikit_image(image, matrix)
  # float32 coordinates of about 50 pixels are exact to 4e-6 of a pixel, on
  # steps of up to 255 grey values.
  np.testing.assert_allclose(got[..., 0], want, atol=5e-3)
  assert (want == 0).any()


def test_augment_applies_the_matrix_it_draws():
  key = jax.random.key(3)
  image = np.random.default_rng(0).integers(0, 256, (*SHAPE, 1), np.uint8)
  matrix = ops.augment_matrix(key, **OPTIONS, zoom=0.3)
  np.testing.assert_array_equal(
    ops.augment(key, image, zoom=0.3),
    ops.affine_warp(image.astype(np.float32), matrix),
  )


def test_no_augmentation_is_the_identity():
  options = {"zoom": 0, "translate": 0, "rotate": 0, "flip": False}
  matrix = ops.augment_matrix(jax.random.key(0), **OPTIONS, **options)
  np.testing.assert_array_equal(matrix, np.eye(2, 3))
  box = jnp.array([3.0, 4, 20, 30])
  np.testing.assert_allclose(ops.boxes.warp(box, matrix, **OPTIONS), box)


@pytest.mark.parametrize("seed", range(8))
def test_a_warped_box_is_the_extent_of_the_warped_mask(seed):
  matrix = ops.augment_matrix(
    jax.random.key(seed), **OPTIONS, translate=0.05, rotate=15
  )
  mask = np.zeros(SHAPE)
  mask[12:28, 16:40] = 1
  # Where the mask is one half lies its edge, half a pixel outside the centres.
  warped = with_scikit_image(mask, matrix)
  rows, columns = (np.flatnonzero((warped >= 0.5).any(k)) for k in (1, 0))
  extent = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
  box = ops.boxes.warp(jnp.array([16.0, 12, 40, 28]), matrix, **OPTIONS)
  # A turned corner is sharper than the pixels that show it.
  np.testing.assert_allclose(box, extent, atol=1.5)


def test_a_mirrored_box_is_mirrored_exactly():
  mirror = jnp.array([[-1.0, 0, 0], [0, 1, 0]])
  boxes = jnp.array([[0.0, 0, 10, 20], [30, 5, 56, 40]])
  got = ops.boxes.warp(boxes, mirror, **OPTIONS)
  np.testing.assert_array_equal(got, [[46, 0, 56, 20], [0, 5, 26, 40]])
