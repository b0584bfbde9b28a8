"""The whole model: parameter counts, shapes, and who gets gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_models import random_variables, shapes_of

from chexjax import models
from chexjax.training.steps import stage_loss

TINY = {
  "num_classes": 3, "block_sizes": (1, 1), "growth": 4, "bn_size": 2,
  "stem": 4, "fpn_features": 8, "hidden": 4, "detection_features": 4,
  "roi_size": 2, "crop_size": 16, "crop_stages": (1, 1), "crop_width": 4,
  "crop_hidden": 4,
}  # fmt: skip


def count(tree):
  return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_released_parameter_counts():
  model = models.ChexModel(**models.released_options())
  variables = jax.eval_shape(
    lambda: model.init(jax.random.key(0), jnp.zeros((1, 64, 64, 3)))
  )
  params = variables["params"]
  assert count(params["classification"]) == 8_147_086
  assert count(params["detection"]) == 74_116
  assert count(params["crop_classifier"]) == 28_682_062


# The other two, and more of both, are in test_stage3_gradients.py:
# test_frozen_parts_get_none and test_every_leaf_has_the_gradient_of_...
@pytest.mark.parametrize(
  ("released", "stage"),
  [(False, 3), pytest.param(True, 2, marks=pytest.mark.slow)],
)
def test_stage_gradients_reach_what_the_stage_trains(released, stage):
  options = models.released_options() if released else {}
  model = models.ChexModel(**TINY, **options)
  images = jax.random.normal(jax.random.key(1), (2, 64, 64, 3))
  variables = random_variables(shapes_of(model))

  def loss(params):
    (logits, _), _ = model.apply(
      {"params": params, "batch_stats": variables["batch_stats"]},
      images,
      train=True,
      stage=stage,
      mutable=["batch_stats"],
      rngs={"region": jax.random.key(2), "dropout": jax.random.key(3)},
    )
    return stage_loss(
      logits,
      jnp.eye(2, 3),
      jnp.ones(2),
      stage=stage,
      beta_pos=0.7,
      beta_neg=0.3,
    )[0]

  def largest(tree):
    return max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(tree))

  grads = jax.jit(jax.grad(loss))(variables["params"])
  if stage == 2:
    assert largest(grads.pop("classification")) == 0
    grads |= grads.pop("detection")
  for group in grads.values():
    assert 0 < largest(group) < np.inf


def test_wrong_stage_and_size_are_named():
  model = models.ChexModel(**TINY)
  with pytest.raises(ValueError, match="stage must be"):
    model.init(jax.random.key(0), jnp.zeros((1, 64, 64, 3)), stage=4)
  with pytest.raises(ValueError, match="multiples of 32"):
    model.init(jax.random.key(0), jnp.zeros((1, 60, 64, 3)))
