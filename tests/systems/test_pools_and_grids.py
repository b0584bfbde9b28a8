"""What systems pool with, and how they resize: against plain loops."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops
from chexjax.systems import SYSTEMS, Truth
from chexjax.systems.li2018 import _to_grid
from chexjax.systems.pylon import resize_corners


@pytest.mark.parametrize("top", [1.0, 10.0, 100.0])
def test_the_pooling_of_wang_against_a_loop_in_float64(top):
  x = np.random.default_rng(0).uniform(-top, top, (5, 7))
  highest = np.abs(x).max()
  total = sum(np.exp(10 * (value - highest)) for value in x.ravel())
  want = highest + np.log(total / x.size) / 10
  got = ops.lse_pool(jnp.asarray(x, jnp.float32), r=10.0)
  np.testing.assert_allclose(got, want, rtol=2e-6)  # float32 has 7 digits


def test_noisy_or_against_the_plain_product():
  x = np.random.default_rng(0).normal(0, 3, (4, 4))
  p = 1 / (1 + np.exp(-x))
  score = 1 - np.prod(1 - 0.02 * p)
  want = np.log(score / (1 - score))
  got = ops.noisy_or_pool(jnp.asarray(x, jnp.float32))
  np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.parametrize("share", [0.02, 0.9])
@pytest.mark.parametrize("value", [-200.0, -40.0, 0.0, 40.0, 200.0])
def test_noisy_or_does_not_saturate_on_16_x_16_patches(value, share):
  x = jnp.full((16, 16), value)
  pool = functools.partial(ops.noisy_or_pool, share=share)
  logit, slope = jax.value_and_grad(pool)(x)
  assert np.isfinite(logit)
  assert np.isfinite(slope).all()
  if value == 200:  # every patch is certain
    total = -256 * np.log1p(-share)
    want = total + np.log1p(-np.exp(-total))
    np.testing.assert_allclose(logit, want, rtol=1e-5)
  if value == -200:  # its probability underflows; the logit goes on falling
    want = value + np.log(256 * share)
    np.testing.assert_allclose(logit, want, rtol=1e-5)
    np.testing.assert_allclose(slope.sum(), 1, rtol=1e-5)


def test_a_batchs_own_labels_weigh_wangs_loss():
  logits = jnp.zeros((2, 3))
  labels = jnp.array([[1.0, 0, 0], [0, 0, 0]])
  known = jnp.array([[1.0, 1, 1], [1, 1, 0]])
  truth = Truth(labels, known, jnp.zeros(3), jnp.zeros(3))
  losses = SYSTEMS["wang2017"].loss(logits, {}, truth)
  # One positive and four known negatives: 5 / 1 and 5 / 4 times log 2.
  np.testing.assert_allclose(losses[0, 0], 5 * np.log(2), rtol=1e-6)
  np.testing.assert_allclose(losses[0, 1], 5 / 4 * np.log(2), rtol=1e-6)


def test_patches_are_enlarged_or_their_maxima_taken():
  fine = jnp.arange(16.0).reshape(1, 4, 4, 1)
  np.testing.assert_array_equal(
    _to_grid(fine, 2)[0, ..., 0], [[5, 7], [13, 15]]
  )
  coarse = jnp.array([[0.0, 4.0]]).reshape(1, 1, 2, 1)
  assert _to_grid(coarse, 4).shape == (1, 4, 4, 1)
  with pytest.raises(ValueError, match="3 x 3 cannot be brought to 2 x 2"):
    _to_grid(jnp.zeros((1, 3, 3, 1)), 2)


def test_resizing_keeps_the_corners():
  x = np.random.default_rng(0).normal(size=(1, 3, 5, 2)).astype(np.float32)
  big = np.asarray(resize_corners(jnp.asarray(x), (7, 9)))
  np.testing.assert_allclose(big[:, ::3, ::2], x, atol=1e-6)
  np.testing.assert_allclose(
    big[:, 0, 1], (x[:, 0, 0] + x[:, 0, 1]) / 2, atol=1e-6
  )
  one = resize_corners(jnp.ones((1, 1, 1, 1)), (4, 4))
  np.testing.assert_array_equal(one, np.ones((1, 4, 4, 1)))
