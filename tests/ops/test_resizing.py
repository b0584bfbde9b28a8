"""Crops and upsampled maps against scikit-image, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage import transform

from chexjax import ops

SHAPE = (18, 24)
# The weights of four neighbours, of positions of up to 24 pixels.
TOLERANCE = 1e-12


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


def noise():
  return np.random.default_rng(0).normal(size=SHAPE)


@pytest.mark.parametrize("size", [(18, 24), (36, 48), (40, 25), (64, 64)])
def test_a_crop_that_enlarges_the_image_is_a_resize(size):
  image = noise()
  whole = jnp.array([0.0, 0, SHAPE[1], SHAPE[0]])
  got = ops.crop_bilinear(jnp.asarray(image)[..., None], whole, size=size)
  want = transform.resize(image, size, order=1, mode="edge")
  np.testing.assert_allclose(got[..., 0], want, atol=TOLERANCE)


@pytest.mark.parametrize("size", [(5, 9), (30, 20)])
@pytest.mark.parametrize(
  "box", [[3.2, 4.5, 17.9, 11.0], [-6.0, 2.0, 30.0, 25.0], [4, 4, 4, 4]]
)
def test_a_crop_is_a_warp_whose_border_is_repeated(box, size):
  image = noise()
  x1, y1, x2, y2 = box
  scale = np.array([(x2 - x1) / size[1], (y2 - y1) / size[0]])
  to_input = np.eye(3)
  to_input[[0, 1], [0, 1]] = scale
  to_input[:2, 2] = np.array([x1, y1]) + scale / 2 - 0.5
  want = transform.warp(
    image,
    transform.AffineTransform(to_input),
    output_shape=size,
    order=1,
    mode="edge",
  )
  got = ops.crop_bilinear(
    jnp.asarray(image)[..., None], jnp.array(box, float), size=size
  )
  np.testing.assert_allclose(got[..., 0], want, atol=TOLERANCE)


@pytest.mark.parametrize("crop", [ops.crop_bilinear, ops.crop_gaussian])
def test_one_side_is_a_square(crop):
  image, box = jnp.asarray(noise())[..., None], jnp.array([2.0, 3, 15, 12])
  square = crop(image, box, size=6)
  assert square.shape == (6, 6, 1)
  np.testing.assert_array_equal(square, crop(image, box, size=(6, 6)))


def test_the_released_map_enlarges_the_saliency_as_a_resize():
  logits = noise()
  got = ops.released_final_map(jnp.asarray(logits), jnp.ones((72, 96)))
  saliency = 1 / (1 + np.exp(-logits))
  want = transform.resize(saliency, (72, 96), order=1, mode="edge")
  np.testing.assert_allclose(got, want, atol=TOLERANCE)


def test_interpolation_is_that_of_numpy():
  signal = np.random.default_rng(1).normal(size=9)
  positions = np.array([-3.0, -0.2, 0, 0.3, 4.5, 7.99, 8, 8.4, 20])
  matrix = ops.interpolation_matrix(jnp.asarray(positions), 9)
  want = np.interp(positions, np.arange(9), signal)
  np.testing.assert_allclose(matrix @ signal, want, atol=TOLERANCE)
