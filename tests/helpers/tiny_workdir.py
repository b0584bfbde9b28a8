"""A run's workdir at phantom size, with nothing trained."""

import dataclasses

import jax
import numpy as np

from chexjax.training import setup, workdir
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.state import create_state
from chexjax.types import FINDINGS
from chexjax.weights import loading
from experiments.configs import CONFIGS


def make_workdir(folder, *, image_size=128):
  """Write the workdir; return it and its variables before any step."""
  small = dataclasses.replace(
    CONFIGS["phantom"].model,
    block_sizes=(1, 1), growth=4, stem=4, fpn_features=4, hidden=4,
    crop_stages=(1,), crop_width=4, crop_hidden=4,
  )  # fmt: skip
  config = dataclasses.replace(
    CONFIGS["phantom"], model=small, workdir=folder, image_size=image_size
  )
  workdir.store(config, {})
  model = setup.make_model(config, len(FINDINGS))
  rng = np.random.default_rng(0)
  variables = jax.tree.map(
    lambda x: rng.uniform(-0.2, 0.3, x.shape).astype(np.float32),
    loading.shapes_of(model),
  )
  variables["batch_stats"] = jax.tree.map(
    lambda x: np.abs(x) + 0.5, variables["batch_stats"]
  )
  for stage in (1, 3):
    tx = setup.make_tx(config, stage, 10, 100)
    state = create_state(variables, tx, stage=stage)
    checkpoints = Checkpoints(folder / "checkpoints" / f"stage{stage}")
    for step, auc in ((1, 0.8), (2, 0.6)):
      moved = state.replace(
        params=jax.tree.map(lambda x, s=step: x + s / 64, state.params)
      )
      checkpoints.save(step, moved, inputs={"at": step}, auc=auc)
    checkpoints.close()
  return folder, variables
