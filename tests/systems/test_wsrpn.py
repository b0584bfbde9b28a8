"""WSRPN: its regions, their pooling, and what each loss is at its ends."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops
from chexjax.systems import SYSTEMS, Truth, build_model
from chexjax.systems.wsrpn_loss import contrastive_loss, wsrpn_loss
from chexjax.systems.wsrpn_regions import (
  any_region,
  attend_hardest,
  gaussian_masks,
  noisy_or,
  position_code,
  region_consistency,
)

MODEL = build_model(
  "wsrpn", 3, block_sizes=(1,), growth=4, bn_size=2, stem=4, fpn_features=8
)


@functools.cache
def small():
  """Return a model's compiled call, its variables and two random films."""
  images = jax.random.normal(jax.random.key(0), (2, 32, 64, 3))
  variables = jax.jit(MODEL.init)(jax.random.key(1), images[:1])
  return jax.jit(MODEL.apply), variables, images


def sigmoid(x):
  return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def test_noisy_or_against_the_plain_product():
  x = np.random.default_rng(0).normal(0, 2, (4, 10))
  p = 1 - np.prod(1 - sigmoid(x), 1)
  got = noisy_or(jnp.asarray(x, jnp.float32), axis=1)
  np.testing.assert_allclose(got, np.log(p / (1 - p)), rtol=1e-5)


@pytest.mark.parametrize("value", [-60.0, -20.0, 0.0, 20.0, 60.0])
def test_noisy_or_does_not_saturate(value):
  pool = functools.partial(noisy_or, axis=0)
  logit, slope = jax.value_and_grad(pool)(jnp.full(10, value))
  assert np.isfinite(logit)
  # Ten certain regions: each adds its logit. Ten improbable ones: log 10.
  if value == 60:
    np.testing.assert_allclose(logit, 600, rtol=1e-5)
  if value == -60:
    np.testing.assert_allclose(logit, -60 + np.log(10), rtol=1e-5)
  assert (slope > 0).all()


def test_masks_follow_their_boxes():
  """A box of the third column and second row, moved two cells to the right."""
  boxes = jnp.array(
    [[[2.5 / 6, 1.5 / 4, 0.2, 0.3], [4.5 / 6, 1.5 / 4, 0.2, 0.3]]]
  )
  first, second = gaussian_masks(boxes, 4, 6)[0]
  assert np.unravel_index(first.argmax(), (4, 6)) == (1, 2)
  assert np.unravel_index(second.argmax(), (4, 6)) == (1, 4)
  assert first.max() == second.max() == 1
  np.testing.assert_allclose(first[:, :4], second[:, 2:], rtol=1e-5)
  # One cell away from the centre: exp(-(step / side)^2).
  np.testing.assert_allclose(
    first[1, 3], np.exp(-((1 / 6 / 0.2) ** 2)), rtol=1e-5
  )
  np.testing.assert_allclose(
    first[2, 2], np.exp(-((0.25 / 0.3) ** 2)), rtol=1e-5
  )


def test_a_box_outside_and_without_size_still_has_a_mask():
  boxes = jnp.array([[[1.5, -0.5, 1e-3, 1e-3]]])
  mask = gaussian_masks(boxes, 4, 4)[0, 0]
  assert mask[0, 3] == 1 == mask.sum()  # The corner nearest to it.
  slope = jax.grad(lambda x: gaussian_masks(x, 4, 4).sum())(boxes)
  assert np.isfinite(slope).all()


def test_the_hardest_cell_has_the_gradient_of_the_attention():
  scores = jnp.array([0.1, 0.7, 0.2])
  weights = jnp.array([3.0, 5.0, 7.0])
  value, slope = jax.value_and_grad(
    lambda x: attend_hardest(jax.nn.softmax(x)) @ weights
  )(scores)
  soft = jax.grad(lambda x: jax.nn.softmax(x) @ weights)(scores)
  np.testing.assert_allclose(value, 5, rtol=1e-6)
  np.testing.assert_allclose(slope, soft, rtol=1e-6)


def test_each_cell_has_a_code_of_its_own():
  code = np.asarray(position_code(4, 6, 10)).reshape(24, 10)
  assert len(np.unique(code.round(4), axis=0)) == 24
  assert np.abs(code).max() <= 1


def test_regions_have_no_order():
  apply, variables, images = small()
  tokens = variables["params"]["classification"]["region_tokens"]["tokens"]
  order = jnp.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])
  mixed = jax.tree.map(lambda x: x, variables)
  mixed["params"]["classification"]["region_tokens"]["tokens"] = tokens[order]
  (logits, found), (same, again) = (
    apply(variables, images),
    apply(mixed, images),
  )
  # The order of a sum changes: float32.
  np.testing.assert_allclose(logits.full, same.full, rtol=1e-5, atol=1e-6)
  np.testing.assert_allclose(found["regions"], again["regions"], atol=1e-6)
  np.testing.assert_allclose(
    found["boxes"][:, order], again["boxes"], atol=1e-6
  )
  assert found["regions"].shape == found["cells"].shape == (2, 3, 8, 16)


def test_a_film_does_not_depend_on_its_batch():
  apply, variables, images = small()
  one = apply(variables, images)[0].full
  other = apply(variables, images.at[1].set(0))[0].full
  np.testing.assert_array_equal(one[0], other[0])
  assert (one[1] != other[1]).any()


def test_no_finding_takes_from_every_finding():
  apply, variables, images = small()
  sure = jax.tree.map(jnp.copy, variables)
  last = sure["params"]["classification"]["classifier"]["linear2"]
  last["bias"] = jnp.array([0.0, 0.0, 0.0, 30.0])
  last["kernel"] *= 0
  logits, found = apply(sure, images)
  # Ten regions of sigmoid(0) * sigmoid(-30).
  np.testing.assert_allclose(logits.full, np.log(5) - 30, rtol=1e-5)
  assert found["cells"].max() < 1e-12
  nothing = found["region_logits"][:, -1]
  np.testing.assert_allclose(nothing, 30 - np.log(10), rtol=1e-5)


def test_contrast_of_a_film_alone_is_nothing():
  both = jax.jit(jax.value_and_grad(contrastive_loss))
  ones = np.ones((1, 2), np.float32)
  value, slope = both(np.ones((1, 2, 4), np.float32), ones, ones)
  assert value == 0
  assert not slope.any()
  # One known film of two; then both, with embeddings of nothing.
  known = np.float32([[1, 0], [0, 0]])
  value, slope = both(np.ones((2, 2, 4), np.float32), known, known)
  assert value == 0
  assert not slope.any()
  _, slope = both(np.zeros((2, 2, 4), np.float32), known, np.ones_like(known))
  assert np.isfinite(slope).all()


def test_contrast_against_a_loop():
  rng = np.random.default_rng(0)
  x = rng.normal(size=(4, 2, 3))
  labels = np.array([[1, 0], [1, 0], [0, 0], [0, 1]], float)
  known = np.array([[1, 1], [1, 1], [1, 0], [1, 1]], float)
  losses = []
  for k in range(2):
    films = [i for i in range(4) if known[i, k]]
    unit = x[:, k] / np.linalg.norm(x[:, k], axis=-1, keepdims=True)
    for i in films:
      scores = {j: unit[i] @ unit[j] / 0.15 for j in films if j != i}
      same = [s for j, s in scores.items() if labels[i, k] == labels[j, k]]
      total = np.log(sum(np.exp(s) for s in scores.values()))
      losses.append(total - (np.mean(same) if same else 0))
  got = contrastive_loss(
    *(jnp.asarray(value, jnp.float32) for value in (x, labels, known))
  )
  np.testing.assert_allclose(got, np.mean(losses), rtol=1e-5)


def test_consistency_is_0_where_regions_say_what_cells_say():
  """One region over the whole image; then one that says the other finding."""
  both = jax.jit(
    jax.value_and_grad(lambda x, *of: region_consistency(of[0], x, of[1])[0])
  )
  masks = np.ones((1, 1, 2, 2), np.float32)

  def consistency(cell, region, masks=masks):
    cells = np.broadcast_to(np.float32(cell), (1, 2, 2, 3))
    value, slope = both(np.float32([[region]]), cells, masks)
    assert np.isfinite(slope).all()
    return value

  one, two = [3.0, -4.0, 0.0], [-4.0, 3.0, 0.0]
  np.testing.assert_allclose(consistency(one, one), 0, atol=1e-6)
  assert consistency(one, two) > 0.5
  # A region that is nowhere leaves "no finding", and the cells' own finding
  # counts as 1e-3.
  nowhere = consistency([90.0, -90.0, -90.0], one, 0 * masks)
  np.testing.assert_allclose(nowhere, np.log(1e3), rtol=1e-5)
  # Probabilities that underflow on both sides.
  assert np.isfinite(consistency([-200.0] * 3, [-200.0] * 3))


def test_the_map_joins_regions_by_noisy_or():
  masks = jnp.array([[[[1.0, 0.5]], [[0.0, 0.5]]]])
  given = jnp.array([[[0.8], [0.4]]])
  got = any_region(given, masks)[0, 0, :, 0]
  np.testing.assert_allclose(got, [0.8, 1 - 0.6 * 0.8], rtol=1e-6)


@jax.jit
def entropies(logits, labels, known):
  """Return the trained mean, without contrast and consistency, and its slope.

  Two films, two findings: `[2, 4]`, `[2, 2]` and `[2, 2]`.
  """
  truth = Truth(labels, known, jnp.ones(2), jnp.ones(2))

  def mean(logits):
    found = {
      "cell_logits": logits,
      "region_logits": logits,
      "cell_embedding": jnp.zeros((2, 2, 3)),
      "region_embedding": jnp.zeros((2, 2, 3)),
      "consistency": jnp.zeros(2),
    }
    losses = known * wsrpn_loss(labels, found, truth)
    return losses.sum() / jnp.maximum(known.sum(), 1)

  return jax.value_and_grad(mean)(logits)


def test_the_entropies_are_weighed_by_the_batchs_labels():
  labels = np.float32([[1, 0], [0, 0]])
  known = np.ones_like(labels)
  value, _ = entropies(np.zeros((2, 4), np.float32), labels, known)
  # One of each of two films weighs (2 + 1) / (1 + 1), two of two weigh 1.
  # Columns: the findings, some place without any, no place with any.
  want = 2 * np.log(2) * np.mean([1.5, 1, 1, 1.5]) / 5
  np.testing.assert_allclose(value, want, rtol=1e-6)
  right = np.float32([[20, -20, 20, -20], [-20, -20, 20, 20]])
  assert entropies(right, labels, known)[0] < 1e-6
  right[0, 3] = 20  # One wrong of eight, with a weight of 1.5.
  value, _ = entropies(right, labels, known)
  np.testing.assert_allclose(value, 20 * 1.5 / 8 * 2 / 5, rtol=1e-5)


def test_what_is_not_known_takes_no_part():
  """Without a positive, an unknown label leaves open whether one is there."""
  logits, labels = np.zeros((2, 4), np.float32), np.zeros((2, 2), np.float32)
  value, slope = entropies(logits, labels, np.float32([[1, 0], [0, 0]]))
  assert value > 0
  assert slope[0, 0] > 0 > slope[0, 2]
  assert slope[0, 1] == slope[0, 3] == 0
  assert not slope[1].any()
  # A film with a positive has a finding, whatever else is not known.
  _, slope = entropies(
    logits, np.float32([[1, 0], [0, 0]]), np.float32([[1, 0], [0, 0]])
  )
  assert slope[0, 3] > 0 > slope[0, 0]
  value, slope = entropies(logits, labels, labels)
  assert value == 0
  assert not slope.any()


def test_a_step_on_one_white_film():
  """Its backbone learns from the cells, and from nothing else."""
  _, variables, _ = small()
  images = ops.normalize(jnp.full((1, 32, 64, 1), 255.0))
  truth = Truth(jnp.eye(3)[:1], jnp.ones((1, 3)), jnp.ones(3), jnp.ones(3))

  def losses(params):
    (logits, found), _ = MODEL.apply(
      {**variables, "params": params},
      images,
      train=True,
      mutable=["batch_stats"],
      rngs={"dropout": jax.random.key(0)},
    )
    of_regions = found["region_logits"].sum() + found["consistency"].sum()
    whole = SYSTEMS["wsrpn"].loss(logits.full, found, truth).mean()
    return jnp.stack([whole, of_regions])

  @jax.jit
  def both(params):
    values, pull = jax.vjp(losses, params)
    return values, jax.vmap(pull)(jnp.eye(2))[0]

  values, slopes = both(variables["params"])
  assert np.isfinite(values).all()
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(slopes))
  slopes = slopes["classification"]
  leaves = jax.tree.leaves(slopes["densenet"])
  largest = np.max([np.abs(x.reshape(2, -1)).max(1) for x in leaves], 0)
  assert largest[0] > 0 == largest[1]
  for part in ("region_tokens", "pooled", "classifier"):
    leaves = jax.tree.leaves(slopes[part])
    assert max(np.abs(x[1]).max() for x in leaves) > 0
