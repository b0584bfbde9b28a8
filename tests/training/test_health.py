"""Steps that are not finite, and stages that do not learn."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from small_models import random_variables, shapes_of
from test_resume import MODEL, Source

from chexjax.data.pipeline import train_batches
from chexjax.data.prefetch import Prefetch
from chexjax.runtime.sharding import make_mesh, replicated, shard_batch
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.health import Health
from chexjax.training.loop import train_stage
from chexjax.training.metrics_writer import MetricsWriter
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step


class OneBad(Source):
  """The labels of example 5 are NaN; with seed 1 it is in the second batch."""

  def __getitem__(self, index):
    example = super().__getitem__(index)
    if index == 5:
      example["labels"] = example["labels"] * np.float32(np.nan)
    return example


MESH = make_mesh()
TX = optax.adamw(1e-3)


@pytest.fixture(scope="module")
def step_fn():
  beta = jnp.full(2, 0.5)
  return make_train_step(
    MODEL, TX, MESH, stage=1, beta_pos=beta, beta_neg=beta, skip_nan=True
  )


@pytest.fixture(scope="module")
def variables():
  return random_variables(shapes_of(MODEL))


def fresh(variables):
  state = create_state(variables, TX, stage=1)
  # Where the step puts it; from elsewhere the second step compiles anew.
  return jax.device_put(state, replicated(MESH))


def bad_step(source):
  batches = train_batches(source, batch_size=4, seed=1)
  return next(n for n in range(1, 9) if 5 in next(batches).index)


def train(folder, step_fn, state, health, num_steps, auc=0.6):
  batches = train_batches(OneBad(), batch_size=4, seed=1)
  writer = MetricsWriter(folder, stage=1)
  checkpoints = Checkpoints(folder / "checkpoints")
  try:
    return train_stage(
      step_fn, state, Prefetch(batches, lambda b: shard_batch(b, MESH)),
      stage=1, num_steps=num_steps, key=jax.random.key(7),
      evaluate=lambda s: {"selection": auc}, eval_every=99, save_every=99,
      log_every=num_steps, checkpoints=checkpoints, writer=writer,
      health=health,
    )  # fmt: skip
  finally:
    writer.close()
    checkpoints.close()


@pytest.mark.slow
def test_a_skipped_step_changes_nothing_but_its_number(step_fn, variables):
  batch = next(train_batches(Source(), batch_size=4, seed=1))
  labels = batch.labels.copy()
  labels[2, 1] = np.nan
  before = fresh(variables)
  after, metrics = step_fn(
    fresh(variables),
    shard_batch(batch._replace(labels=labels), MESH),
    jax.random.key(0),
  )
  assert not np.isfinite(metrics["loss"])
  assert after.step == 1
  jax.tree.map(
    np.testing.assert_array_equal, before, after.replace(step=before.step)
  )
  good, metrics = step_fn(
    fresh(variables), shard_batch(batch, MESH), jax.random.key(0)
  )
  assert np.isfinite(metrics["loss"])
  for group in ("params", "batch_stats", "opt_state"):
    pairs = zip(
      jax.tree.leaves(getattr(before, group)),
      jax.tree.leaves(getattr(good, group)),
    )
    assert any((a != b).any() for a, b in pairs), group


def test_the_first_bad_step_stops_with_its_examples(
  step_fn, variables, tmp_path
):
  kept = []

  def keep(step, index):
    kept.append((step, 5 in index))
    return "; kept"

  step = bad_step(Source())
  health = Health(1, names=lambda i: [f"f{n}.png" for n in i], keep=keep)
  with pytest.raises(FloatingPointError, match=r"f5\.png.*; kept") as caught:
    train(tmp_path, step_fn, fresh(variables), health, step + 2)
  assert f"step {step} is not finite (" in str(caught.value)
  assert kept == [(step, True)]
  assert Checkpoints(tmp_path / "checkpoints").latest_step() is None


def test_skipped_steps_are_counted_up_to_a_limit(
  step_fn, variables, tmp_path, capsys
):
  steps = bad_step(Source()) + 1
  (tmp_path / "b").mkdir()
  state = train(
    tmp_path, step_fn, fresh(variables), Health(1, skip=True, most=1), steps
  )
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(state.params))
  (row,) = map(
    json.loads, (tmp_path / "metrics.jsonl").read_text().split("\n")[:-1]
  )
  assert row["skipped"] == 1
  assert np.isfinite(row["loss"])
  assert "skipped, 1 of at most 1" in capsys.readouterr().out
  with pytest.raises(FloatingPointError, match="0 such steps were skipped"):
    train(
      tmp_path / "b", step_fn, fresh(variables), Health(1, skip=True), steps
    )


def test_a_window_without_a_finite_step_has_no_mean():
  health = Health(1, skip=True, most=5)
  index = jnp.arange(4)
  assert health.means(2, [{"loss": np.nan}] * 2, [index] * 2) == {
    "loss": None,
    "skipped": 2,
  }


@pytest.mark.parametrize(
  ("num_steps", "eval_every", "warned_at"),
  [(9, 1, [3]), (9, 2, [4]), (6, 5, [5]), (2, 9, [2])],
)
def test_a_stage_near_chance_warns_once(
  num_steps, eval_every, warned_at, capsys
):
  health, warned = Health(2), []
  for step in range(1, num_steps + 1):
    if step % eval_every == 0 or step == num_steps:
      for auc in (0.54, 0.56, None):
        health.judge(step, auc, num_steps=num_steps, eval_every=eval_every)
      warned += [step] * capsys.readouterr().out.count("stage 2 does not learn")
  assert warned == warned_at
