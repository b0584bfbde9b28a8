"""The named configurations."""

from chexjax.training.config import (
  AugmentConfig,
  Config,
  ModelConfig,
  StageConfig,
)
from experiments.configs import nih_mini, own, paper, phantom, released

CONFIGS = {
  "phantom": phantom.config,
  "own": own.config,
  "paper": paper.config,
  "released": released.config,
  "nih_mini": nih_mini.config,
}

__all__ = ["CONFIGS", "AugmentConfig", "Config", "ModelConfig", "StageConfig"]
