"""Properties of the ops, each against a reference of its own."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops
from chexjax.ops._primitive import plain_forms

KEY = jax.random.key(0)


def bilinear(feature, y, x):
  """Reads one point as torchvision's RoIAlign does, in plain Python."""
  height, width = feature.shape[:2]
  if y < -1 or y > height or x < -1 or x > width:
    return np.zeros(feature.shape[2])
  y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
  y0, x0 = int(y), int(x)
  y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
  top = feature[y0, x0] * (1 - (x - x0)) + feature[y0, x1] * (x - x0)
  low = feature[y1, x0] * (1 - (x - x0)) + feature[y1, x1] * (x - x0)
  return top * (1 - (y - y0)) + low * (y - y0)


def roi_align_loop(feature, box, aligned):
  x1, y1, x2, y2 = box / 4 - (0.5 if aligned else 0)
  width, height = x2 - x1, y2 - y1
  if not aligned:
    width, height = max(width, 1), max(height, 1)
  out = np.zeros((5, 5, feature.shape[2]))
  for i in range(10):
    for j in range(10):
      y, x = y1 + (i + 0.5) * height / 10, x1 + (j + 0.5) * width / 10
      out[i // 2, j // 2] += bilinear(feature, y, x) / 4
  return out


@pytest.mark.parametrize("aligned", [False, True])
def test_roi_align_agrees_with_a_loop(aligned):
  rng = np.random.default_rng(0)
  feature = rng.normal(size=(8, 9, 3)).astype(np.float32)
  boxes = np.array(
    [
      [0, 0, 36, 32],
      [3, 5, 20, 30],
      [7, 7, 7, 7],
      [-20, 4, 60, 9],
      [90, 90, 99, 99],
    ],
    np.float32,
  )
  got = ops.roi_align(feature, boxes, aligned=aligned)
  want = np.stack([roi_align_loop(feature, b, aligned) for b in boxes])
  np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("form", [contextlib.nullcontext, plain_forms])
def test_fixed_grid_equals_general_roi_align_with_gradient(form):
  feature = jax.random.normal(KEY, (16, 16, 2))
  boxes = ops.make_proposals(64)
  weights = jax.random.normal(KEY, (395, 5, 5, 2))

  def general(x):
    return (weights * ops.roi_align(x, boxes)).sum()

  def fixed(x):
    return (weights * ops.roi_align_proposals(x)).sum()

  with form():
    pooled = ops.roi_align_proposals(feature)
    gradient = jax.jit(jax.grad(fixed))(feature)
  np.testing.assert_allclose(pooled, ops.roi_align(feature, boxes), atol=1e-5)
  np.testing.assert_allclose(
    gradient, jax.jit(jax.grad(general))(feature), atol=1e-5
  )


@pytest.mark.slow
def test_gradients_are_finite_at_empty_and_outside_boxes():
  feature = jnp.ones((8, 8, 1))
  boxes = jnp.array([[5.0, 5, 5, 5], [-99, -99, -90, -90], [0, 0, 32, 32]])
  grads = jax.jit(
    jax.grad(lambda f, b: ops.roi_align(f, b).sum(), argnums=(0, 1))
  )(feature, boxes)
  assert all(np.isfinite(g).all() for g in grads)
  for crop in (ops.crop_bilinear, ops.crop_gaussian):
    for box in boxes:
      grads = jax.grad(
        lambda f, b, crop=crop: crop(f, b, size=4).sum(), argnums=(0, 1)
      )(feature, box)
      assert all(np.isfinite(g).all() for g in grads)


def test_crop_of_the_whole_image_is_the_image():
  image = jax.random.normal(KEY, (16, 16, 3))
  whole = jnp.array([0.0, 0, 16, 16])
  np.testing.assert_array_equal(ops.crop_bilinear(image, whole, size=16), image)


def test_proposals():
  boxes = ops.make_proposals(512)
  assert boxes.shape == (395, 4)
  assert len(np.unique(boxes, axis=0)) == 387
  np.testing.assert_array_equal(boxes / 4, ops.make_proposals(128))


@pytest.mark.shared
def test_agrees_with_the_authors_model(shared):
  want = np.load(shared / "parity" / "expected_seed0.npz")
  np.testing.assert_array_equal(ops.make_proposals(512), want["anchors"])
  boxes = ops.boxes.clip(
    ops.boxes.decode(want["det_deltas"], want["anchors"]), height=512, width=512
  )
  np.testing.assert_allclose(boxes, want["boxes"], atol=1e-3)
  image = ops.normalize(want["image"][0][..., None])
  crops = jax.vmap(ops.crop_gaussian, (None, 0))(
    image, want["picked_boxes"][0, 0]
  )
  np.testing.assert_allclose(
    np.moveaxis(np.asarray(crops), -1, 1), want["crops_image0"], atol=1e-4
  )
  released = jax.vmap(
    lambda b, s: ops.released_detection_map(b, s, height=512, width=512)
  )(want["boxes"][0, :2], want["det_scores"][0, :2])
  expected = want["detection_heatmap_image0_class01"]
  np.testing.assert_allclose(
    released[:, ::4, ::4], expected, atol=1e-3 * np.ptp(expected)
  )


def test_encode_undoes_decode():
  rng = np.random.default_rng(1)
  anchors = np.array([[0, 0, 10, 20], [5, 5, 50, 40]], np.float32)
  deltas = rng.normal(0, 0.3, (2, 4)).astype(np.float32)
  back = ops.boxes.encode(ops.boxes.decode(deltas, anchors), anchors)
  np.testing.assert_allclose(back, deltas, atol=1e-5)


def test_iou_of_halves_and_empties():
  a = jnp.array([[0.0, 0, 2, 2], [1, 1, 1, 1]])
  np.testing.assert_allclose(ops.boxes.iou(a, a), [[1, 0], [0, 0]])
  b = jnp.array([[1.0, 0, 3, 2]])
  np.testing.assert_allclose(ops.boxes.iou(a, b)[0, 0], 1 / 3, rtol=1e-6)


def test_sample_region_is_one_hot_with_a_finite_softmax_gradient():
  scores = jnp.array([[100.0, -100, 3, 3], [0, 0, 0, 0]])
  for tau in (1.0, 1e-3):
    value, grad = jax.value_and_grad(
      lambda s, tau=tau: (
        ops.sample_regions(KEY, s, tau=tau) * jnp.arange(4.0)
      ).sum()
    )(scores)
    assert float(value) == round(float(value))
    assert np.isfinite(grad).all()


def test_sample_region_follows_the_softmax():
  scores = jnp.array([0.0, 1, 2])
  keys = jax.random.split(KEY, 20_000)
  shares = jax.vmap(lambda k: ops.sample_region(k, scores))(keys).mean(0)
  # Three standard deviations of a share of 20,000 draws are about 0.01.
  np.testing.assert_allclose(shares, jax.nn.softmax(scores), atol=0.01)


def test_balanced_bce_is_stable_and_weighted():
  logits = jnp.array([-100.0, 0, 100])
  loss = ops.balanced_bce(logits, jnp.ones(3), beta_pos=0.9, beta_neg=0.1)
  np.testing.assert_allclose(loss, [90, 0.9 * np.log(2), 0], atol=1e-5)
  grad = jax.grad(lambda x: ops.balanced_bce(x, jnp.zeros(3)).sum())(logits)
  np.testing.assert_allclose(grad, [0, 0.5, 1], atol=1e-6)


def test_lse_pool_lies_between_mean_and_maximum():
  logits = jax.random.normal(KEY, (6, 7))
  want = np.log(np.mean(np.exp(np.asarray(logits, np.float64))))
  np.testing.assert_allclose(ops.lse_pool(logits), want, rtol=1e-5)
  np.testing.assert_allclose(
    ops.lse_lba_pool(logits, jnp.zeros(())), want, rtol=1e-5
  )
  assert logits.mean() < ops.lse_pool(logits) < logits.max()
  assert np.isfinite(ops.lse_pool(logits * 1e4))


def test_a_centre_prior_makes_the_pooled_mean_a_weighted_one():
  logits = np.random.default_rng(0).normal(size=(6, 9))
  y, x = ((np.arange(n) + 0.5) / n - 0.5 for n in logits.shape)
  weights = np.exp(-(y[:, None] ** 2 + x**2) / (2 * 0.3**2))
  want = np.log((weights * np.exp(logits)).sum() / weights.sum())
  place = ops.log_centre_prior(6, 9, deviation=0.3)
  # float32 beside float64.
  assert float(ops.lse_pool(logits + place)) == pytest.approx(want, rel=1e-5)
  assert float(np.exp(place).mean()) == pytest.approx(1, rel=1e-5)


def test_detection_map_averages_exact_coverage():
  boxes = jnp.array([[0.0, 0, 8, 8], [2, 0, 4, 16]])
  got = ops.detection_map(boxes, jnp.zeros(2), height=16, width=16)
  want = np.zeros((4, 4))
  want[:2, :2] += 0.5
  want[:, 0] += 0.25
  np.testing.assert_allclose(got, want, atol=1e-6)
