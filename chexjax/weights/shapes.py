"""The shapes of a model's variables."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from chexjax.runtime import compile_cache
from chexjax.systems import Model


@functools.lru_cache(maxsize=8)
def shapes_of(model: Model, *, stage: int | None = None) -> Any:
  """Return the shapes of a model's variables without allocating them.

  Args:
    model: whose variables they are.
    stage: see `ChexModel`; 1 leaves out detection and crop classifier. The
      model's last by default.

  Returns:
    `params` and `batch_stats` as trees of `jax.ShapeDtypeStruct`.
  """
  stage = stage or model.last_stage
  image = jnp.zeros((1, 64, 64, 3))
  key = jax.random.key(0)
  # Stored on disk, because tracing the full-size model takes seconds.
  return compile_cache.kept(
    lambda: jax.eval_shape(lambda: model.init(key, image, stage=stage)),
    repr(("shapes", model, stage)),
  )
