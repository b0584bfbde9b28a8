"""Weakly supervised findings on chest X-rays, in JAX/Flax."""

from chexjax import models, ops
from chexjax.types import BOXED_FINDINGS, FINDINGS, Batch

__version__ = "0.1.0"
__all__ = ["BOXED_FINDINGS", "FINDINGS", "Batch", "models", "ops"]
