"""The named configurations."""

from experiments.configs import nih_mini, paper, phantom, released
from experiments.configs.base import (
  AugmentConfig,
  Config,
  ModelConfig,
  StageConfig,
)

CONFIGS = {
  "phantom": phantom.config,
  "paper": paper.config,
  "released": released.config,
  "nih_mini": nih_mini.config,
}

__all__ = ["CONFIGS", "AugmentConfig", "Config", "ModelConfig", "StageConfig"]
