"""Grey values of an augmented image, and the shear."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops
from chexjax.ops import grey

KEYS = jax.random.split(jax.random.key(0), 64)


@pytest.fixture(scope="module")
def image():
  values = np.random.default_rng(0).uniform(0, 255, (24, 20, 1))
  return values.astype(np.float32)


def drawn(function, image, **options):
  """Applies a function under 64 keys."""
  one = functools.partial(function, **options)
  return np.asarray(jax.jit(jax.vmap(one, (0, None)))(KEYS, image))


def test_gamma_keeps_the_order_and_the_ends(image):
  image = np.sort(image.ravel()).reshape(image.shape)
  image[0, 0], image[-1, -1] = 0, 255
  found = drawn(grey.vary_grey, image, gamma=0.5)
  assert (np.diff(found.reshape(64, -1)) >= 0).all()
  np.testing.assert_allclose(found[:, -1, -1], 255, rtol=1e-6)
  # 255 (1 / 2) ** exp(+-0.5) is where the middle may go at most.
  middle = drawn(grey.vary_grey, np.full((2, 2, 1), 127.5), gamma=0.5)
  low, high = 255 * 0.5 ** np.exp(0.5), 255 * 0.5 ** np.exp(-0.5)
  assert middle.min() >= low - 1e-3
  assert middle.max() <= high + 1e-3
  assert middle.max() - middle.min() > 0.8 * (high - low)


def test_contrast_is_a_factor_about_the_mean():
  image = np.full((4, 4, 1), 120.0, np.float32)
  image[:2] = 130
  found = drawn(grey.vary_grey, image, contrast=0.3)
  factors = (found[:, 0, 0, 0] - found[:, -1, 0, 0]) / 10
  assert np.abs(np.log(factors)).max() <= 0.3 + 1e-4
  assert np.log(factors).std() > 0.1
  moved = found.mean((1, 2, 3)) - 125
  assert np.abs(moved).max() <= 64 * 0.3 + 1e-3
  assert moved.std() > 5


def test_noise_differs_between_pixels_and_in_strength(image):
  flat = np.full((32, 32, 1), 128.0, np.float32)
  found = drawn(grey.vary_grey, flat, noise=6.0)
  strength = found.std((1, 2, 3))
  assert strength.min() < 1.5
  assert 4 < strength.max() < 7
  assert found.min() >= 0
  assert found.max() <= 255


def test_a_patch_has_the_mean_and_half_of_the_images_stay_whole(image):
  found = drawn(grey.cut_out, image, side=0.5)
  changed = (found != image).any(-1)
  share = changed.mean((1, 2))
  # 64 draws of a half: 15 or fewer, or 49 or more, come once in 30,000.
  assert 15 < (share == 0).sum() < 49
  assert share.max() <= 0.25 + 1e-6
  cut = found[..., 0][changed]
  np.testing.assert_allclose(cut, image.mean(), rtol=1e-5)


def test_a_shear_moves_rows_along_x_alone():
  options = {"zoom": 0.0, "translate": 0.0, "rotate": 0.0, "flip": False}
  found = drawn(
    lambda key, _: ops.augment_matrix(
      key, height=8, width=8, shear=10.0, **options
    ),
    jnp.zeros(()),
  )
  slant = found[:, 0, 1]
  assert np.abs(slant).max() <= np.tan(np.deg2rad(10)) + 1e-6
  assert slant.std() > 0.05
  want = np.tile(np.eye(2, 3), (64, 1, 1))
  want[:, 0, 1] = slant
  np.testing.assert_allclose(found, want, atol=1e-6)


def test_without_options_an_image_is_only_warped(image):
  key = jax.random.key(3)
  matrix = ops.augment_matrix(key, height=24, width=20)
  np.testing.assert_array_equal(
    ops.augment(key, image, shear=0.0, contrast=0.0),
    ops.affine_warp(image, matrix),
  )


@pytest.mark.parametrize(
  "options", [{"contrast": -1.0}, {"gamma": -0.1}, {"noise": -2.0}]
)
def test_a_negative_range_is_refused(image, options):
  with pytest.raises(ValueError, match=next(iter(options))):
    grey.vary_grey(KEYS[0], image, **options)


def test_a_patch_is_no_larger_than_the_image(image):
  with pytest.raises(ValueError, match="at most 1"):
    grey.cut_out(KEYS[0], image, side=1.5)
