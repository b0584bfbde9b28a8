"""The whole model: parameter counts and shapes."""

import jax
import jax.numpy as jnp
import pytest

from chexjax import models


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


def test_wrong_stage_and_size_are_named():
  model = models.ChexModel(num_classes=2)
  with pytest.raises(ValueError, match="stage must be"):
    model.init(jax.random.key(0), jnp.zeros((1, 64, 64, 3)), stage=4)
  with pytest.raises(ValueError, match="multiples of 32"):
    model.init(jax.random.key(0), jnp.zeros((1, 60, 64, 3)))
