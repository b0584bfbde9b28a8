"""The main job on drawn data: all three stages in minutes on two cores.

  python -m experiments.run --stage=3

The network is the paper's in small; 128 px leave a saliency map of 32 x 32.
Scores and boxes learn from the evidence for each region, not from the crops'
loss through the straight-through estimator: with that, they did no better than
a head that was never trained. Half of the sampled crops follow the saliency,
so that the crop classifier sees findings before the scores know where they
are. The detection head learns at three times the rate: it is small, and starts
from nothing. What was tried, and what it gave: docs/detection.md.
"""

import pathlib

from chexjax.training.config import Config, ModelConfig, StageConfig

config = Config(
  config="phantom",
  workdir=pathlib.Path("runs/phantom"),
  image_size=128,
  batch_size=16,
  eval_batch_size=32,
  save_every=100,
  tau_end=1.0,
  eval_every_epochs=2.0,
  detection_loss="evidence",
  detection_factor=3.0,
  phantom_images=6000,
  model=ModelConfig(
    block_sizes=(2, 2, 2, 2),
    growth=16,
    bn_size=2,
    stem=16,
    fpn_features=48,
    hidden=16,
    detection_features=8,
    roi_size=3,
    crop_size=24,
    crop_stages=(1, 1, 1),
    crop_width=12,
    crop_hidden=32,
    explore=0.5,
  ),
  stage1=StageConfig(epochs=7, learning_rate=3e-3),
  stage2=StageConfig(epochs=2.5, learning_rate=3e-3, warmup_epochs=0.2),
  stage3=StageConfig(epochs=1.5, learning_rate=5e-4, warmup_epochs=0.1),
)
