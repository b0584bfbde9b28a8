"""Labels that are not known take no part; without them no bit changes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from small_models import random_variables

from chexjax import models, ops
from chexjax.models import Logits
from chexjax.runtime.sharding import make_mesh, replicated, shard_batch
from chexjax.training import setup, validation
from chexjax.training.config import EvidenceOptions
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step, stage_loss
from chexjax.types import Batch
from chexjax.weights.loading import shapes_of
from experiments.configs import CONFIGS

B, K = 6, 3
MASK = jnp.array([1, 1, 1, 1, 1, 0], jnp.float32)
BETAS = {
  "beta_pos": jnp.array([0.9, 0.7, 0.5]),
  "beta_neg": jnp.array([0.1, 0.3, 0.5]),
}


def drawn(seed=0):
  rng = np.random.default_rng(seed)
  logits = rng.normal(0, 3, (2, B, K)).astype(np.float32)
  labels = (rng.random((B, K)) < 0.4).astype(np.float32)
  return Logits(*map(jnp.asarray, logits)), jnp.asarray(labels)


def without_masks(logits, labels, stage):
  """What the loss was before labels could be unknown."""

  def mean_bce(x):
    loss = ops.balanced_bce(x, labels, **BETAS)
    return (loss.mean(-1) * MASK).sum() / jnp.maximum(MASK.sum(), 1)

  loss = jnp.zeros(())
  if stage != 2:
    loss += 10.0 * mean_bce(logits.full)
  if stage != 1:
    loss += mean_bce(logits.crop)
  return loss


def ours(logits, labels, stage, *, partly_labelled=False):
  return stage_loss(
    logits, labels, MASK, stage=stage, cls_scale=10.0, **BETAS,
    partly_labelled=partly_labelled,
  )[0]  # fmt: skip


def masked(logits, labels, stage):
  return ours(logits, labels, stage, partly_labelled=True)


# What stage 2 has of its own, stage 3 has too.
@pytest.mark.parametrize("stage", [1, 3])
def test_without_unknown_labels_no_bit_changes(stage):
  for seed in range(20):
    logits, labels = drawn(seed)
    results = [
      jax.jit(jax.value_and_grad(f), static_argnums=2)(logits, labels, stage)
      for f in (without_masks, ours, masked)
    ]
    for old, new, other in zip(*map(jax.tree.leaves, results)):
      np.testing.assert_array_equal(np.asarray(old), np.asarray(new))
      # Masks that hide nothing change the rounding alone.
      np.testing.assert_allclose(old, other, rtol=1e-5, atol=1e-7)


def test_the_loss_is_the_mean_over_known_pairs():
  logits, labels = drawn()
  unknown = np.zeros((B, K), bool)
  unknown[0] = unknown[1, 2] = unknown[3, 0] = unknown[5, 1] = True
  holed = jnp.where(unknown, jnp.nan, labels)
  known = ~unknown & (np.asarray(MASK)[:, None] > 0)
  each = np.asarray(ops.balanced_bce(logits.full, labels, **BETAS))
  value, gradient = jax.value_and_grad(masked)(logits, holed, 1)
  np.testing.assert_allclose(value, 10 * each[known].mean(), rtol=1e-6)
  assert ((np.asarray(gradient.full) != 0) == known).all()


def test_nothing_known_is_no_loss():
  logits, labels = drawn()
  value, gradient = jax.value_and_grad(masked)(logits, labels * jnp.nan, 3)
  assert value == 0
  assert all((np.asarray(g) == 0).all() for g in gradient)


@pytest.mark.parametrize("total", ["images", "labels"])
def test_class_weights_count_known_labels(total):
  config = dataclasses.replace(CONFIGS["phantom"], class_total=total)
  labels = (np.random.default_rng(0).random((40, K)) < 0.3).astype(np.float32)
  # Films of which nothing is known change nothing.
  more = np.concatenate([labels, np.full((9, K), np.nan, np.float32)])
  whole, partly = (setup.class_weights(config, x) for x in (labels, more))
  assert not whole.partly_labelled
  assert partly.partly_labelled
  for a, b in zip(whole[:2], partly[:2]):
    np.testing.assert_allclose(a, b, rtol=1e-6)
  # One finding is known of half of the films alone, one of none.
  holed = labels.copy()
  holed[20:, 1] = holed[:, 2] = np.nan
  beta_pos, beta_neg, _ = setup.class_weights(config, holed)
  assert np.isfinite(beta_pos).all()
  if total == "images":
    assert beta_neg[1] == np.float32(labels[:20, 1].mean())
  np.testing.assert_allclose(beta_pos + beta_neg, 1)


def test_class_weights_of_whole_labels_keep_their_bits():
  labels = (np.random.default_rng(0).random((40, K)) < 0.3).astype(np.float32)
  ours = setup.class_weights(CONFIGS["phantom"], labels)
  for a, b in zip(ours, ops.balance_weights(labels.sum(0), 40.0)):
    np.testing.assert_array_equal(a, b)


def test_a_findings_auc_is_over_the_images_where_it_is_known():
  labels = np.array(
    [[1, 0, np.nan], [0, 1, np.nan], [np.nan, 0, np.nan], [0, 1, np.nan]]
  )
  logits = np.array([[2, 0, 0], [1, 1, 0], [9, 0, 0], [0, 2, 0]], float)
  names = ["Cat", "Dog", "Emu"]
  # The unknown film, scored highest, would halve the first.
  assert validation._aucs(labels, logits, names) == [1.0, 1.0, None]
  assert validation._aucs(labels[:2, :2], logits[:2, :2], names[:2]) == [
    1.0,
    1.0,
  ]


MODEL = models.ChexModel(
  num_classes=K,
  block_sizes=(1, 1),
  growth=4,
  stem=4,
  fpn_features=4,
  hidden=4,
  detection_features=4,
  roi_size=2,
  crop_size=8,
  crop_stages=(1,),
  crop_width=4,
  crop_hidden=4,
  region_gradient=False,
)


def test_a_step_with_unknown_labels_is_finite_and_blind_to_them():
  """An unknown label is neither a loss nor evidence for a region."""
  mesh, tx = make_mesh(jax.devices()[:1]), optax.sgd(0.1)
  variables = random_variables(shapes_of(MODEL))
  step = make_train_step(
    MODEL,
    tx,
    mesh,
    stage=3,
    evidence=EvidenceOptions(),
    partly_labelled=True,
    **BETAS,
  )
  images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 1), np.uint8)
  labels = np.array([[1, 0, np.nan], [np.nan, 1, 0], [np.nan] * 3, [0, 0, 1]])

  def run(labels):
    copied = jax.tree.map(jnp.copy, variables)
    state = jax.device_put(create_state(copied, tx, stage=3), replicated(mesh))
    batch = Batch(
      image=images,
      labels=labels.astype(np.float32),
      mask=np.ones(4, np.float32),
      index=np.arange(4, dtype=np.int32),
    )
    return step(state, shard_batch(batch, mesh), jax.random.key(0))

  after, metrics = run(labels)
  for leaf in jax.tree.leaves((after.params, metrics)):
    assert np.isfinite(leaf).all()
  taken = run(np.nan_to_num(labels, nan=0.0))[1]
  assert metrics["loss_cls"] != taken["loss_cls"]
  # Which regions are weighed depends on known positives alone.
  assert metrics["loss_scores"] == taken["loss_scores"]
