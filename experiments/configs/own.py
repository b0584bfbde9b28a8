"""A set of one's own: a folder with a labels.csv, of whatever size.

  python -m experiments.run --data_dir=DIR

256 px and, from scratch, the phantom's small network. With --init=imagenet or
--init=released it is the paper's or the authors' network, which the weights
fit. Every stage has at least 300 steps, since an epoch of a hundred films is a
handful of steps; more films get more. The workdir is named after the folder.
Scores and boxes learn from the evidence for each region: docs/detection.md.
"""

import dataclasses
import pathlib

from chexjax.training.config import Config, ModelConfig, StageConfig
from experiments.configs import phantom, released

config = dataclasses.replace(
  phantom.config,
  config="own",
  workdir=pathlib.Path("runs/own"),
  image_size=256,
  min_steps=300,
  stage1=StageConfig(epochs=10, learning_rate=3e-3),
  stage2=StageConfig(epochs=5, learning_rate=3e-3, warmup_epochs=0.5),
  stage3=StageConfig(epochs=3, learning_rate=5e-4, warmup_epochs=0.5),
)


def with_weights(init: str | None) -> Config:
  """Return the recipe for the weights that a run starts from.

  Args:
    init: value of `--init`.

  Returns:
    With the network that these weights fit, at a rate that does not undo them.
  """
  networks = {
    "imagenet": ModelConfig(explore=config.model.explore),
    "released": dataclasses.replace(
      released.config.model, explore=config.model.explore
    ),
  }
  if init not in networks:
    return config
  return dataclasses.replace(
    config,
    model=networks[init],
    batch_size=8,
    eval_batch_size=8,
    detection_factor=1.0,
    stage1=dataclasses.replace(config.stage1, learning_rate=3e-4),
    stage2=dataclasses.replace(config.stage2, learning_rate=1e-3),
    stage3=dataclasses.replace(config.stage3, learning_rate=1e-4),
  )
