"""Random variables for models of any size, and the state dicts they make."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from chexjax.models import ChexModel, released_options
from chexjax.weights import merge, released

SIZES = {"num_classes": 3, "block_sizes": (2, 1, 1, 1), "crop_stages": (1, 2)}
TINY = {
  "growth": 4, "bn_size": 2, "stem": 4, "fpn_features": 8, "hidden": 6,
  "detection_features": 5, "roi_size": 2, "crop_size": 16, "crop_width": 4,
  "crop_hidden": 7, **SIZES,
}  # fmt: skip


def tiny_model(**options):
  return ChexModel(**TINY, **released_options() | options)


@functools.cache  # Tracing takes seconds.
def shapes_of(model):
  image = jnp.zeros((1, 64, 64, 3))
  return jax.eval_shape(lambda: model.init(jax.random.key(0), image))


def random_variables(like, seed=0):
  """Draws numbers that leave no norm trivial and no activation saturated."""
  rng = np.random.default_rng(seed)

  def draw(path, leaf):
    shape = leaf.shape
    if path[-1] in ("scale", "var"):
      return rng.uniform(0.6, 1.4, shape).astype(np.float32)
    if path[-1] == "kernel":
      fan_in = np.prod(shape[-4:-1] if len(shape) >= 4 else shape[-2:-1])
      # Boxes grow with the exponential of the deltas.
      scale = 0.05 if path[-2] == "delta" else np.sqrt(2 / fan_in)
      return (rng.normal(size=shape) * scale).astype(np.float32)
    return rng.normal(0, 0.2, shape).astype(np.float32)

  flat = traverse_util.flatten_dict(like)
  return traverse_util.unflatten_dict({k: draw(k, v) for k, v in flat.items()})


def tiny_state(seed=0):
  """A small released state dict, by name."""
  variables = random_variables(shapes_of(tiny_model()), seed)
  return merge.unmerge(variables, released.released_entries(**SIZES))
