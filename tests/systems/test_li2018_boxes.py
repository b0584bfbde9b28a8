"""The loss of Li et al. for films with boxes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops
from chexjax.systems import SYSTEMS, Truth, trains_on_boxes
from chexjax.systems.li2018_boxes import boxes_loss, cells_inside

NAN = [math.nan] * 4


def by_hand(patch, inside, beta):
  """Return the loss of one film and finding with a box, factor by factor."""
  product, share = 1.0, 5.12 / patch.size
  for p, within in zip(patch.ravel().tolist(), inside.ravel().tolist()):
    right = p if within else 1 - p
    product *= (1 - share) + share * right
  return -5 * beta * math.log(product)


def test_the_loss_is_the_product_over_patches_written_out():
  rng = np.random.default_rng(0)
  cells = rng.normal(size=(2, 3, 4, 4)).astype(np.float32)
  found = {"patch": jax.nn.sigmoid(cells)}
  # Film 0: two boxes of finding 0, one of 2, which the label denies. Film 1:
  # none of 0, one of 1, one of 2 that the augmentation has moved out.
  boxes = np.array(
    [
      [[[0.0, 0.25, 0.5, 0.5], [0.75, 0.75, 1, 1]], [NAN, NAN],
       [[0, 0, 1, 1], NAN]],
      [[NAN, NAN], [[0.3, 0.3, 0.4, 0.4], NAN], [[1.1, 0, 1.5, 1], NAN]],
    ]
  )  # fmt: skip
  labels = jnp.array([[1.0, 1, 0], [1, 1, 1]])
  weights = jnp.array([0.9, 0.8, 0.7]), jnp.array([0.1, 0.2, 0.3])
  logits = jnp.asarray(rng.normal(size=(2, 3)), jnp.float32)
  truth = Truth(labels, jnp.ones((2, 3)), *weights)
  plain = np.array(SYSTEMS["li2018_like"].loss(logits, found, truth))
  inside = np.zeros((2, 4, 4), bool)
  inside[0, 1, :2] = inside[0, 3, 3] = inside[1, 1, 1] = True
  wide = np.float64(found["patch"])
  want = plain.copy()
  want[0, 0] = by_hand(wide[0, 0], inside[0], 0.9)
  want[1, 1] = by_hand(wide[1, 1], inside[1], 0.8)
  got = boxes_loss(logits, found, truth._replace(boxes=jnp.asarray(boxes)))
  # Sixteen float32 logarithms are added.
  np.testing.assert_allclose(got, want, rtol=2e-6)
  np.testing.assert_array_equal(boxes_loss(logits, found, truth), plain)


@pytest.mark.parametrize("logit", [-200.0, 0.0, 200.0])
def test_gradients_are_finite_on_certain_patches_with_and_without_a_box(logit):
  boxes = jnp.array([[[[0.25, 0.25, 0.75, 0.75]], [NAN]]])

  def loss(cells):
    pool = jax.vmap(jax.vmap(lambda x: ops.noisy_or_pool(x, share=0.02)))
    found = {"patch": jax.nn.sigmoid(cells)}
    one = jnp.ones((1, 2))
    truth = Truth(one, one, one[0], one[0], boxes)
    return boxes_loss(pool(cells), found, truth).sum()

  value, gradient = jax.value_and_grad(loss)(jnp.full((1, 2, 16, 16), logit))
  assert np.isfinite(value)
  assert np.isfinite(gradient).all()
  if logit == 0:
    # Down where there is the finding, up where there is not.
    assert (gradient[0, 0, 4:12, 4:12] < 0).all()
    assert (gradient[0, 0] > 0).sum() == 256 - 64


def test_a_box_smaller_than_a_cell_has_the_cell_of_its_centre():
  boxes = jnp.array([[0.76, 0.01, 0.8, 0.02], NAN])
  (places,) = np.argwhere(cells_inside(boxes, rows=2, columns=4)).tolist()
  assert places == [0, 3]
  assert not cells_inside(jnp.array([NAN]), rows=2, columns=4).any()


def test_one_system_is_trained_on_boxes():
  assert [n for n in SYSTEMS if trains_on_boxes(n)] == ["li2018_like_boxes"]
  assert not trains_on_boxes("chexjax")
