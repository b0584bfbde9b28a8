"""A step's recipe says all that the step is made of."""

import dataclasses
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import TINY_OWN

from chexjax.runtime import compile_messages
from chexjax.training import initial_weights, setup
from chexjax.training.datasets import open_data
from chexjax.training.stage_step import stage_step
from chexjax.training.stages import Run
from chexjax.training.state import create_state
from chexjax.types import Batch, MapOptions
from chexjax.weights.loading import shapes_of
from experiments import flags

OTHER = {
  "config": "paper", "stage": 1, "maps": "released", "seed": 5, "max_steps": 9,
  "workdir": pathlib.Path("w"), "cache_dir": pathlib.Path("c"),
  "compilation_cache": False, "data_dir": pathlib.Path("d"),
  "init": "imagenet", "init_dir": pathlib.Path("i"), "eval_batch_size": 3,
  "eval_every_epochs": 0.1, "save_every": 2, "log_every": 7,
  "coordinator": "h:1", "num_processes": 4, "process_id": 1, "max_nan": 3,
  "num_examples": 0, "phantom_images": 77, "min_steps": 11,
  "phantom_seed": 6, "shape": "letterbox", "uncertain": "positive",
  "more_data": (pathlib.Path("m"),), "read": MapOptions(flip=True),
  "train_share": 0.5, "box_folds": 3, "box_fold": 2,
}  # fmt: skip


@pytest.mark.slow
def test_options_outside_of_the_recipe_leave_the_step_as_it_is(
  own_folder, tmp_path, monkeypatch
):
  own = own_folder(tmp_path / "own").write()
  argv = [*TINY_OWN, f"--data_dir={own}", f"--workdir={tmp_path}"]
  config = flags.parse([*argv, "--image_size=128"])
  dataset = open_data(config)
  monkeypatch.setattr(
    compile_messages, "aloud", lambda step, name, recipe: (step, recipe)
  )

  def step_of(config, stage, steps=8, train_size=20, share=0.3):
    job = Run(config, dataset, initial_weights.FINISHED)
    job.steps, job.train_size = dict.fromkeys((1, 2, 3), steps), train_size
    tx = setup.make_tx(config, stage, steps, train_size)
    weights = setup.ClassWeights(
      jnp.full(2, 1 - share), jnp.full(2, share), partly_labelled=False
    )
    step, recipe = stage_step(
      config,
      job.model,
      job.mesh,
      tx,
      weights,
      stage=stage,
      steps=job.steps,
      train_size=job.train_size,
    )
    state = jax.eval_shape(
      lambda variables: create_state(variables, tx, stage=stage),
      shapes_of(job.model),
    )
    batch = Batch(
      image=np.zeros((4, 128, 128, 1), np.uint8),
      labels=np.zeros((4, 2), np.float32),
      mask=np.ones(4, np.float32),
      index=np.zeros(4, np.int32),
    )
    return step.lower(state, batch, jax.random.key(0)).as_text(), recipe

  other = dataclasses.replace(config, **OTHER)
  changed = {
    field.name
    for field in dataclasses.fields(config)
    if getattr(config, field.name) != getattr(other, field.name)
  }
  assert changed == set(setup._OUTSIDE_OF_STEPS)
  assert step_of(other, 3) == step_of(config, 3)
  # What the recipe is told is in the step of every stage; the first's is
  # traced soonest.
  text, recipe = step_of(config, 1)
  faster = dataclasses.replace(config.stage1, learning_rate=1.0)
  for changed in (
    step_of(dataclasses.replace(config, stage1=faster), 1),
    step_of(config, 1, steps=9),
    step_of(config, 1, train_size=4000),
    step_of(config, 1, share=0.31),
  ):
    assert changed[0] != text
    assert changed[1] != recipe
