"""The authors' released code wherever it differs from the paper.

  python -m experiments.run --config=released --data_dir=DIR \
    --workdir=runs/released
"""

import dataclasses
import pathlib

from chexjax.training.config import ModelConfig
from experiments.configs import paper

_stage1 = dataclasses.replace(paper.config.stage1, cls_scale=10.0)

config = dataclasses.replace(
  paper.config,
  config="released",
  workdir=pathlib.Path("runs/released"),
  model=ModelConfig(
    pooling="lse_lba",
    crop="gaussian",
    gate_gradient=False,
    crop_leaky=False,
    add_full_logit=True,
  ),
  stage1=_stage1,
  tau_end=1.0,
  class_total="labels",
  maps="released",
  adam_b2=0.99,
  adam_eps=0.1,
)
