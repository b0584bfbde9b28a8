"""The main job on drawn data: all three stages in minutes on two cores.

  python -m experiments.run --stage=3

The network is the paper's in small; 128 px leave a saliency map of 32 x 32.
Most of the time goes to stage 1, which the localisation comes from. In the
few hundred steps of stages 2 and 3 the scores do not come far enough apart
for the paper's annealing: at a low temperature the sampler's gradient is noise
that spoils the detection map. So the temperature stays at 1.
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
  tau_end=1.0,
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
  ),
  stage1=StageConfig(epochs=5, learning_rate=3e-3),
  stage2=StageConfig(epochs=0.5, warmup_epochs=0.05),
  stage3=StageConfig(epochs=1.25, learning_rate=1e-3, warmup_epochs=0.05),
)
