"""The model that is measured, with random weights."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chexjax.systems import Model
from experiments.configs import CONFIGS, Config

_TOY: dict[str, Any] = {
  "block_sizes": (1, 1), "growth": 4, "stem": 4, "fpn_features": 4,
  "hidden": 4, "detection_features": 4, "roi_size": 2, "crop_size": 16,
  "crop_stages": (1,), "crop_width": 4, "crop_hidden": 4,
}  # fmt: skip
TOY_SIZE = 32


def configuration(preset: str, *, toy: bool, size: int | None = None) -> Config:
  """Returns a named configuration, or the same with a tiny model."""
  config = CONFIGS[preset]
  if toy:
    config = dataclasses.replace(
      config,
      image_size=TOY_SIZE,
      model=dataclasses.replace(config.model, **_TOY),
    )
  elif size is not None:
    config = dataclasses.replace(config, image_size=size)
  return config


def random_variables(module: Any, *args: Any, **options: Any) -> Any:
  """Draws variables that leave activations of size 1, without compiling.

  Args:
    module: a linen module.
    *args: of its call; arrays or their shapes.
    **options: keywords of its call.
  """
  shapes = jax.eval_shape(
    lambda *args: module.init(jax.random.key(0), *args, **options), *args
  )
  rng = np.random.default_rng(0)

  def draw(path, leaf):
    name = path[-1].key
    if name in ("scale", "var"):
      return jnp.ones(leaf.shape, leaf.dtype)
    if name != "kernel":
      return jnp.zeros(leaf.shape, leaf.dtype)
    fan_in = np.prod(leaf.shape[-4:-1] if leaf.ndim > 3 else leaf.shape[-2:-1])
    values = rng.standard_normal(leaf.shape, np.float32) * (2 / fan_in) ** 0.5
    return jnp.asarray(values, leaf.dtype)

  return jax.tree_util.tree_map_with_path(draw, shapes)


def example(model: Model, batch: int, size: int) -> dict[str, np.ndarray]:
  """Draws a batch: `image` uint8 `[B, S, S, 1]`, `labels`, `mask`, `index`."""
  rng = np.random.default_rng(1)
  return {
    "image": rng.integers(0, 256, (batch, size, size, 1), np.uint8),
    "labels": rng.integers(0, 2, (batch, model.num_classes)).astype(np.float32),
    "mask": np.ones(batch, np.float32),
    "index": np.arange(batch, dtype=np.int32),
  }
