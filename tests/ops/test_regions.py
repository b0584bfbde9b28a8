"""Erasing a region, voting, the saliency's scores and the log-variance loss."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops


def noise(size=64, seed=0):
  return jax.random.normal(jax.random.key(seed), (size, size, 2))


def test_erasing_leaves_the_rest_and_takes_the_detail():
  image = noise()
  erased = ops.erase_region(image, jnp.array([16.0, 8.0, 48.0, 40.0]))
  inside = np.s_[10:38, 18:46]
  outside = np.ones((64, 64), bool)
  outside[7:41, 15:49] = False
  np.testing.assert_array_equal(erased[outside], image[outside])
  # An 8 x 8 image of noise has a tenth of its spread.
  assert erased[inside].std() < 0.2 * image[inside].std()


def test_erasing_everything_keeps_the_brightness():
  image = noise() + 3.0
  erased = ops.erase_region(image, jnp.array([-4.0, -4.0, 68.0, 68.0]))
  np.testing.assert_allclose(erased.mean((0, 1)), image.mean((0, 1)), atol=0.02)


def test_a_flat_image_is_erased_without_a_trace():
  image = jnp.full((64, 64, 1), 0.7)
  erased = ops.erase_region(image, jnp.array([5.0, 5.0, 30.0, 20.0]))
  np.testing.assert_allclose(erased, image, atol=1e-6)


def test_erasing_has_finite_gradients_at_an_empty_box():
  def total(image, box):
    return (ops.erase_region(image, box) ** 2).sum()

  for box in ([9.0, 9.0, 9.0, 9.0], [0.0, 0.0, 64.0, 64.0]):
    grads = jax.grad(total, (0, 1))(noise(), jnp.array(box))
    assert all(np.isfinite(g).all() for g in grads)


def test_voting_is_the_weighted_mean_of_the_boxes_that_overlap():
  boxes = jnp.array([[0.0, 0, 10, 10], [2, 0, 12, 10], [40, 40, 50, 50]])
  weights = jnp.array([1.0, 3.0, 100.0])
  voted = ops.vote_boxes(boxes, weights, overlap=0.2)
  want = (boxes[0] + 3 * boxes[1]) / 4
  np.testing.assert_allclose(voted[:2], [want, want], rtol=1e-6)
  np.testing.assert_allclose(voted[2], boxes[2], rtol=1e-6)


def test_a_box_whose_neighbours_weigh_nothing_stays():
  boxes = jnp.array([[0.0, 0, 10, 10], [40, 40, 50, 50]])
  voted = ops.vote_boxes(boxes, jnp.array([0.0, 1.0]))
  np.testing.assert_array_equal(voted, boxes)
  grads = jax.grad(lambda w: ops.vote_boxes(boxes, w).sum())(jnp.zeros(2))
  assert np.isfinite(grads).all()


def test_voting_finds_what_lies_between_the_proposals():
  """An object of 24 px between the grid's 16 and 32: IoU after and before."""
  proposals = jnp.asarray(ops.make_proposals(128))
  true = jnp.array([[35.0, 50.0, 59.0, 74.0]])
  overlap = ops.boxes.iou(proposals, true)[:, 0]
  weights = jax.nn.softmax(overlap / 0.05)
  top = int(overlap.argmax())
  voted = ops.vote_boxes(proposals, weights)[top]
  after = float(ops.boxes.iou(voted[None], true)[0, 0])
  assert after > float(overlap[top]) + 0.05


def test_saliency_scores_follow_the_saliency_at_every_size():
  """The three sizes get a third of the draws each, and their places agree."""
  y, x = jnp.mgrid[:32, :32]
  saliency = 8.0 - 0.2 * ((x - 20) ** 2 + (y - 12) ** 2)
  scores = ops.saliency_scores(saliency)
  probabilities = np.asarray(jax.nn.softmax(scores))
  proposals = ops.make_proposals(128)
  ends = np.cumsum([289, 81, 25])
  for start, end in zip([0, *ends], ends):
    share = probabilities[start:end].sum()
    assert 0.1 < share < 0.7, share
    best = proposals[start + scores[start:end].argmax()]
    assert best[0] <= 82 <= best[2]
    assert best[1] <= 50 <= best[3]


def test_saliency_scores_of_a_flat_map_prefer_nothing():
  scores = np.asarray(ops.saliency_scores(jnp.zeros((16, 16))))
  for part in np.split(scores, [289, 289 + 81]):
    np.testing.assert_allclose(part, part[0], atol=1e-3)


def test_log_variance_is_zero_up_to_a_constant():
  evidence = jnp.array([[0.0, 1.0, -2.0]])
  assert ops.log_variance(evidence + 7.0, evidence)[0] == pytest.approx(0)
  value = ops.log_variance(jnp.zeros((1, 3)), evidence)[0]
  assert value == pytest.approx(np.var([0, 1, -2], ddof=1) / 2)


def test_log_variance_has_the_gradient_of_the_divergence():
  """Over all pairs of draws, against KL(softmax of scores, of evidence)."""
  key = jax.random.key(3)
  scores, evidence = jax.random.normal(key, (2, 5))

  def divergence(x):
    log_p = jax.nn.log_softmax(x)
    return (jnp.exp(log_p) * (log_p - jax.nn.log_softmax(evidence))).sum()

  places = jnp.stack(jnp.meshgrid(jnp.arange(5), jnp.arange(5)), -1)
  places = places.reshape(-1, 2)
  chance = jnp.prod(jax.nn.softmax(scores)[places], -1)

  def expected(x):
    return (chance * ops.log_variance(x[places], evidence[places])).sum()

  np.testing.assert_allclose(
    jax.grad(expected)(scores), jax.grad(divergence)(scores), atol=1e-6
  )


def test_evidence_gets_no_gradient():
  grads = jax.grad(lambda e: ops.log_variance(jnp.ones((2, 3)), e).sum())(
    jnp.arange(6.0).reshape(2, 3)
  )
  assert not grads.any()
