"""The paper: 512 px, DenseNet-121, ResNet-34, batch 8.

  python -m experiments.run --config=paper --data_dir=DIR --workdir=runs/paper

Nobody has published epochs or a schedule. Published DenseNet-121 baselines on
this set converge in about 10 epochs from ImageNet; stages 2 and 3 start from
a trained classifier and are given half of that. The warm-up of half an epoch
keeps Adam's first steps small; the cosine ends each stage near 0, so that its
last checkpoint is about its best.

Both backbones start from ImageNet, as the paper's: downloaded, or given by
--init_dir; --init=none starts from scratch. "Every ReLU" is a LeakyReLU(0.1)
in both backbones and in the saliency heads. Scores and boxes learn through the
straight-through estimator alone, as the paper says; what that gives, and what
--detection_loss=evidence gives, is in docs/detection.md.
"""

import pathlib

from chexjax.training.config import Config, StageConfig

config = Config(
  config="paper",
  workdir=pathlib.Path("runs/paper"),
  init="imagenet",
  stage1=StageConfig(epochs=10),
  stage2=StageConfig(epochs=5),
  stage3=StageConfig(epochs=5, learning_rate=3e-4),
)
