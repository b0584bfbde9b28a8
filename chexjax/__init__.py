"""Weakly supervised findings on chest X-rays, in JAX/Flax.

Films in, findings and boxes out:

- `load` opens a model with its weights, a `Predictor`;
- `ChexModel` is the linen module;
- `phantom` draws films with known findings and boxes.

Pure functions, each on one example: `ops`. Everything else is a room that is
loaded when it is first asked for: `models`, `weights`, `inference`, `data`,
`training`, `evaluation`, `report`, `export`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from chexjax.types import BOXED_FINDINGS, FINDINGS, Batch

if TYPE_CHECKING:
  from chexjax import (
    data,
    evaluation,
    export,
    inference,
    models,
    ops,
    report,
    training,
    weights,
  )
  from chexjax.data.phantom import phantom
  from chexjax.inference.predictor import Predictions, Predictor, load
  from chexjax.models import ChexModel

__version__ = "0.2.0"
_ROOMS = (
  "data",
  "evaluation",
  "export",
  "inference",
  "models",
  "ops",
  "report",
  "training",
  "weights",
)
_PLACES = {
  "ChexModel": "chexjax.models",
  "Predictions": "chexjax.inference.predictor",
  "Predictor": "chexjax.inference.predictor",
  "load": "chexjax.inference.predictor",
  "phantom": "chexjax.data.phantom",
}
__all__ = [
  "BOXED_FINDINGS",
  "FINDINGS",
  "Batch",
  "ChexModel",
  "Predictions",
  "Predictor",
  "data",
  "evaluation",
  "export",
  "inference",
  "load",
  "models",
  "ops",
  "phantom",
  "report",
  "training",
  "weights",
]


def __getattr__(name: str) -> Any:
  """Load a room, or what one holds, when it is first asked for (PEP 562)."""
  if name in _ROOMS:
    return importlib.import_module(f"chexjax.{name}")
  if name in _PLACES:
    value = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = value
    return value
  raise AttributeError(f"module 'chexjax' has no attribute {name!r}")


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})
