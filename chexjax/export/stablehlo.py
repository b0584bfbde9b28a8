"""The program as StableHLO, without its weights."""

from typing import Any

import jax
import numpy as np

from chexjax.export.program import make_program, read_weights
from chexjax.extras import require
from chexjax.models import for_platform
from chexjax.ops._primitive import plain_forms
from chexjax.systems import Model
from chexjax.weights.model_info import ModelInfo

PLATFORMS = ("cpu", "cuda", "tpu")


def make_stablehlo(model: Model, variables: Any, info: ModelInfo) -> bytes:
  """Export a model's program for all platforms, the number of films free.

  Every platform gets the same operations, none with a form of its own, and
  multiplies float32 as float32.

  Args:
    model: the linen module.
    variables: `params` and `batch_stats`, whose shapes alone are read.
    info: input size, stage and preset.

  Returns:
    What `jax.export.deserialize` reads. Its `call` takes `read_weights` and
    `[B, S, S, 1]` uint8 films and returns the outputs by name.

  Raises:
    ImportError: flatbuffers is absent.
  """
  require("predict", "flatbuffers")
  weights = {
    name: jax.ShapeDtypeStruct(array.shape, array.dtype)
    for name, array in read_weights(variables).items()
  }
  size = info.image_size
  (batch,) = jax.export.symbolic_shape("batch")
  films = jax.ShapeDtypeStruct((batch, size, size, 1), np.uint8)
  program = jax.jit(make_program(model, info))
  with plain_forms(), for_platform(None, tf32=model.tf32):
    exported = jax.export.export(program, platforms=PLATFORMS)(weights, films)
  return bytes(exported.serialize())
