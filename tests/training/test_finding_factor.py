"""Films with a finding weigh more under `--finding_factor`."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from small_models import random_variables

from chexjax import models
from chexjax.models import Logits
from chexjax.runtime.sharding import make_mesh, replicated, shard_batch
from chexjax.systems import SYSTEMS
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step, stage_loss
from chexjax.training.system_loss import system_loss
from chexjax.types import Batch
from chexjax.weights.loading import shapes_of

BETAS = {
  "beta_pos": jnp.array([0.9, 0.7, 0.5]),
  "beta_neg": jnp.array([0.1, 0.3, 0.5]),
}
LABELS = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 1], [0, 0, 0]], np.float32)
ILL = np.array([1, 0, 1, 0], np.float32)


@pytest.mark.parametrize("partly_labelled", [False, True])
def test_a_film_of_weight_3_counts_as_three_films(partly_labelled):
  x = jnp.asarray(np.random.default_rng(0).normal(0, 2, (4, 3)), jnp.float32)
  labels = jnp.asarray(LABELS)
  if partly_labelled:
    labels = labels.at[0, 1].set(jnp.nan).at[1, 2].set(jnp.nan)
  options = {"stage": 3, "partly_labelled": partly_labelled, **BETAS}
  weighed, _ = stage_loss(
    Logits(x, -x), labels, jnp.array([3.0, 1, 3, 0]), **options
  )
  rows = jnp.array([0, 0, 0, 1, 2, 2, 2])
  repeated, _ = stage_loss(
    Logits(x[rows], -x[rows]), labels[rows], jnp.ones(7), **options
  )
  np.testing.assert_allclose(weighed, repeated, rtol=1e-6)


def test_a_film_of_weight_3_counts_as_three_films_for_a_system():
  x = jnp.asarray(np.random.default_rng(0).normal(0, 2, (3, 3)), jnp.float32)
  labels = jnp.asarray(LABELS[:3]).at[0, 1].set(jnp.nan)
  system = SYSTEMS["cam"]
  rows = jnp.array([0, 0, 0, 1, 2, 2, 2])
  weighed, _ = system_loss(
    system, x, {}, labels, jnp.array([3.0, 1, 3]), **BETAS
  )
  repeated, _ = system_loss(
    system, x[rows], {}, labels[rows], jnp.ones(7), **BETAS
  )
  np.testing.assert_allclose(weighed, repeated, rtol=1e-6)


def test_a_step_weighs_films_with_a_finding():
  model = models.ChexModel(
    num_classes=3, block_sizes=(1, 1), growth=4, stem=4, fpn_features=4,
    hidden=4,
  )  # fmt: skip
  mesh, tx = make_mesh(jax.devices()[:1]), optax.sgd(0.1)
  variables = random_variables(shapes_of(model))
  images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 1), np.uint8)

  def step_of(factor):
    return make_train_step(
      model, tx, mesh, stage=1, finding_factor=factor, **BETAS
    )

  def loss(step, mask):
    copied = jax.tree.map(jnp.copy, variables)
    state = jax.device_put(create_state(copied, tx, stage=1), replicated(mesh))
    batch = Batch(
      image=images, labels=LABELS, mask=mask, index=np.arange(4, dtype=np.int32)
    )
    return step(state, shard_batch(batch, mesh), jax.random.key(0))[1]["loss"]

  plain = step_of(1.0)
  ill, well = loss(plain, ILL), loss(plain, 1 - ILL)
  assert abs(ill - well) > 0.01
  expected = (4 * ill + well) / 5
  np.testing.assert_allclose(
    loss(step_of(4.0), np.ones(4, np.float32)), expected, rtol=1e-5
  )
