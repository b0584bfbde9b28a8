"""Schedules, and a group of parameters with a rate of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chexjax.training.optimizers import make_optimizer, make_schedule


def test_a_group_moves_by_its_factor():
  params = {"detection": jnp.ones(3), "crop_classifier": jnp.ones(3)}
  grads = {"detection": jnp.arange(3.0), "crop_classifier": jnp.arange(3.0)}
  plain = make_optimizer(lambda _: 0.1)
  scaled = make_optimizer(lambda _: 0.1, factors={"detection": 0.5})
  want, _ = plain.update(grads, plain.init(params), params)
  got, _ = scaled.update(grads, scaled.init(params), params)
  np.testing.assert_array_equal(got["detection"], 0.5 * want["detection"])
  np.testing.assert_array_equal(got["crop_classifier"], want["crop_classifier"])


def test_weight_decay_is_decoupled():
  tx = make_optimizer(lambda _: 0.1, weight_decay=0.01)
  params = {"w": jnp.full(2, 3.0)}
  update, _ = tx.update({"w": jnp.zeros(2)}, tx.init(params), params)
  np.testing.assert_allclose(update["w"], -0.1 * 0.01 * 3, rtol=1e-6)


def test_one_vector_is_updated_as_the_tree_would_be():
  rng = np.random.default_rng(0)
  shapes = {"b": {"x": (3, 2), "a": (4,)}, "a": (2, 1, 2)}

  def draw():
    return jax.tree.map(
      lambda shape: jnp.asarray(rng.normal(size=shape), jnp.float32),
      shapes,
      is_leaf=lambda x: isinstance(x, tuple),
    )

  params, grads = draw(), [draw() for _ in range(3)]

  def after(tx):
    tree, state = params, tx.init(params)
    for grad in grads:
      updates, state = tx.update(grad, state, tree)
      tree = optax.apply_updates(tree, updates)
    return tree

  jax.tree.map(
    # One rounding more or less of numbers of size 1.
    lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-6),
    after(make_optimizer(lambda _: 0.1)),
    after(optax.adamw(0.1, weight_decay=1e-3)),
  )


def test_schedules_rise_and_fall():
  options = {"learning_rate": 1.0, "num_steps": 100, "warmup_steps": 10}
  cosine = make_schedule(**options, decay="cosine")
  constant = make_schedule(**options, decay="constant")
  # Eleven equal steps, the first of them above 0.
  want = np.arange(1, 12) / 11
  for schedule in (cosine, constant):
    np.testing.assert_allclose(schedule(np.arange(11)), want, rtol=1e-6)
  assert constant(99) == 1
  np.testing.assert_allclose(cosine(55), 0.5, atol=1e-6)
  assert cosine(100) < 1e-6


@pytest.mark.parametrize("decay", ["cosine", "constant"])
def test_without_a_warm_up_the_first_step_has_the_whole_rate(decay):
  schedule = make_schedule(
    learning_rate=0.5, num_steps=4, warmup_steps=0, decay=decay
  )
  assert schedule(0) == 0.5


def test_a_wrong_schedule_is_named():
  with pytest.raises(ValueError, match="leaves nothing of 5"):
    make_schedule(learning_rate=1, num_steps=5, warmup_steps=5, decay="cosine")
  with pytest.raises(ValueError, match="cosine or constant, got 'step'"):
    make_schedule(learning_rate=1, num_steps=5, warmup_steps=1, decay="step")
