"""A killed run goes on as if nothing had happened, bit for bit."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from small_models import random_variables, shapes_of

from chexjax import models
from chexjax.data.pipeline import eval_batches, train_batches
from chexjax.data.prefetch import Prefetch
from chexjax.runtime.sharding import make_mesh, replicated, shard_batch
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.health import Health
from chexjax.training.loop import train_stage
from chexjax.training.metrics_writer import MetricsWriter
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step

MODEL = models.ChexModel(
  num_classes=2, block_sizes=(1, 1), growth=4, bn_size=2, stem=4,
  fpn_features=4, hidden=4, detection_features=4, roi_size=2, crop_size=8,
  crop_stages=(1,), crop_width=4, crop_hidden=4,
)  # fmt: skip


class Source:
  """Eleven random images with labels."""

  def __len__(self):
    return 11

  def __getitem__(self, index):
    rng = np.random.default_rng(index)
    return {
      "image": rng.integers(0, 256, (32, 32, 1), dtype=np.uint8),
      "labels": rng.integers(0, 2, 2, dtype=np.uint8),
    }


def train(folder, step_fn, state, mesh, *, num_steps):
  checkpoints = Checkpoints(folder / "checkpoints")
  batches = train_batches(Source(), batch_size=4, seed=1)
  latest = checkpoints.latest_step()
  if latest is not None:
    state, position = checkpoints.restore(latest, state)
    batches.set_state(position)
  writer = MetricsWriter(folder, stage=3, start=latest or 0)
  placed = Prefetch(batches, lambda batch: shard_batch(batch, mesh))
  state = train_stage(
    step_fn, state, placed, stage=3, num_steps=num_steps,
    key=jax.random.key(7),
    evaluate=lambda s: {"selection": 0.5}, eval_every=2, save_every=1,
    log_every=1, checkpoints=checkpoints, writer=writer, health=Health(3),
  )  # fmt: skip
  writer.close()
  checkpoints.close()
  return state


def test_two_and_two_steps_are_four(tmp_path):
  mesh = make_mesh()
  tx = optax.adamw(1e-3)
  variables = random_variables(shapes_of(MODEL))
  step_fn = make_train_step(
    MODEL, tx, mesh, stage=3, beta_pos=jnp.full(2, 0.7),
    beta_neg=jnp.full(2, 0.3),
  )  # fmt: skip

  def fresh():
    # Where the step puts it; from elsewhere the second step compiles anew.
    return jax.device_put(
      create_state(variables, tx, stage=3), replicated(mesh)
    )

  whole = train(tmp_path / "a", step_fn, fresh(), mesh, num_steps=4)
  train(tmp_path / "b", step_fn, fresh(), mesh, num_steps=2)
  resumed = train(tmp_path / "b", step_fn, fresh(), mesh, num_steps=4)
  jax.tree.map(np.testing.assert_array_equal, whole, resumed)
  logs = [(tmp_path / run / "metrics.jsonl").read_text() for run in "ab"]
  assert logs[0] == logs[1]
  assert logs[0].count("\n") == 4


def test_evaluation_counts_every_example_once():
  batches = list(eval_batches(Source(), batch_size=4))
  assert [len(b.index) for b in batches] == [4, 4, 4]
  index = np.concatenate([b.index for b in batches])
  mask = np.concatenate([b.mask for b in batches])
  assert sorted(index[mask > 0]) == list(range(11))
  assert (index[mask == 0] == -1).all()


def test_an_epoch_holds_every_example_once():
  batches = train_batches(Source(), batch_size=1, seed=0)
  seen = [int(next(batches).index[0]) for _ in range(11)]
  assert sorted(seen) == list(range(11))


def test_two_processes_evaluate_every_example_once():
  shares = [
    list(eval_batches(Source(), batch_size=4, process=p, num_processes=2))
    for p in range(2)
  ]
  index = [np.concatenate([a.index, b.index]) for a, b in zip(*shares)]
  np.testing.assert_array_equal(np.concatenate(index), [*range(11), -1])
  with pytest.raises(ValueError, match="3 does not divide by 2"):
    next(eval_batches(Source(), batch_size=3, num_processes=2))


def test_the_best_auc_is_known_while_it_is_being_saved(tmp_path):
  checkpoints = Checkpoints(tmp_path)
  state = {"x": jnp.zeros(1_000_000)}
  for step, auc in ((1, 0.6), (2, 0.7), (3, 0.65)):
    checkpoints.save(step, state, inputs={}, auc=auc)
    assert checkpoints.best_auc() == max(0.6, auc if step < 3 else 0.7)
  assert checkpoints.best_step() == 2
  checkpoints.close()


def test_a_checkpoint_that_cannot_be_read_is_found_before_an_older_one_goes(
  tmp_path,
):
  """The newest is opened before another one is saved."""
  checkpoints = Checkpoints(tmp_path / "s")
  state = {"a": {"b": jnp.ones(3)}, "step": jnp.int32(0)}
  for step in (1, 2):
    checkpoints.save(step, state, inputs={}, auc=None)
  checkpoints._manager.wait_until_finished()
  for path in (tmp_path / "s" / "2" / "state").rglob("manifest*"):
    path.unlink()
  with pytest.raises(OSError, match="cannot save in"):
    checkpoints.save(3, state, inputs={}, auc=None)
  assert {path.name for path in (tmp_path / "s").iterdir()} == {"1", "2"}
  restored, _ = checkpoints.restore(1, state)
  np.testing.assert_array_equal(restored["a"]["b"], 1)
