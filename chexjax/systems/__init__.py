"""Other ways to classify and localise, beside our own model.

Each is one linen module on the same backbone, input, schedule and evaluator,
so that a difference is the idea's. `SYSTEMS` is the table; docs/baselines.md
says what is known of each and what was assumed.
"""

from chexjax.systems.base import (
  Backbone,
  Intermediates,
  Linear,
  System,
  Truth,
  balanced_loss,
  class_first,
)
from chexjax.systems.model import (
  Model,
  OneStageModel,
  build_model,
  untrained_heads,
  untrained_maps,
)
from chexjax.systems.table import NAMES, OURS, SYSTEMS, trains_on_boxes

__all__ = [
  "NAMES",
  "OURS",
  "SYSTEMS",
  "Backbone",
  "Intermediates",
  "Linear",
  "Model",
  "OneStageModel",
  "System",
  "Truth",
  "balanced_loss",
  "build_model",
  "class_first",
  "trains_on_boxes",
  "untrained_heads",
  "untrained_maps",
]
