"""About 1,500 real images on a small machine: the phantom's network, longer.

  python -m experiments.run --config=nih_mini --data_dir=DIR \
    --workdir=runs/nih_mini

From scratch, on a hundredth of the training images: expect little.
"""

import dataclasses
import pathlib

from chexjax.training.config import StageConfig
from experiments.configs import phantom

config = dataclasses.replace(
  phantom.config,
  config="nih_mini",
  workdir=pathlib.Path("runs/nih_mini"),
  stage1=StageConfig(epochs=15, learning_rate=3e-3, warmup_epochs=2),
  stage2=StageConfig(epochs=8, learning_rate=3e-3, warmup_epochs=0.5),
  stage3=StageConfig(epochs=4, learning_rate=5e-4, warmup_epochs=0.5),
  eval_every_epochs=2.0,
)
