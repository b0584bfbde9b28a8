"""The main job on drawn data: all three stages in minutes on two cores.

  python -m experiments.run --stage=3

The network is the paper's in small; 128 px leave a saliency map of 32 x 32.
Temperature ends at 0.1, because a few hundred steps do not carry the scores
far enough apart for the paper's 0.001 to have a gradient left.
"""

import pathlib

from experiments.configs.base import Config, ModelConfig, StageConfig

config = Config(
  config="phantom",
  workdir=pathlib.Path("runs/phantom"),
  image_size=128,
  batch_size=16,
  eval_batch_size=32,
  save_every=100,
  tau_end=0.1,
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
  ),
  stage1=StageConfig(epochs=6, learning_rate=3e-3),
  stage2=StageConfig(epochs=1, learning_rate=3e-3, warmup_epochs=0.1),
  stage3=StageConfig(epochs=2, learning_rate=1e-3, warmup_epochs=0.1),
)
