"""The function that an exported file holds: films in, predictions out."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from chexjax import ops
from chexjax.inference.maps import map_plan
from chexjax.systems import OURS, SYSTEMS, Model
from chexjax.weights.digest import flat_weights
from chexjax.weights.model_info import ModelInfo
from chexjax.weights.shapes import shapes_of

Weights = Mapping[str, Any]


def outputs_of(info: ModelInfo) -> dict[str, str]:
  """Return the name of every output, and what it is.

  Args:
    info: of the model.

  Returns:
    Name -> shape, unit and range as text, for B films and K findings.
  """
  size = info.image_size
  found = {
    "logits": "[B, K] float32, of the whole film",
    "probabilities": "[B, K] float32, the sigmoid of the logits, 0..1",
  }
  if info.system != OURS:
    for name, scale in SYSTEMS[info.system].maps.items():
      limits = "0..1" if scale == "none" else "of any size"
      found[name] = f"[B, K, h, w] float32, {limits}"
    return found
  found["sal"] = "[B, K, h, w] float32, saliency map, 0..1"
  if info.stage > 1:
    mixed = "0..1" if info.preset == "paper" else "of any sign"
    found |= {
      "det": f"[B, K, h, w] float32, detection map, {mixed}",
      "mix": f"[B, K, h, w] float32, final map, {mixed}",
      "boxes": "[B, K, 4] float32 x1, y1, x2, y2 in pixels of the "
      f"{size} x {size} input: the region that the detection module picked",
    }
  return found


def make_program(
  model: Model, info: ModelInfo
) -> Callable[[Weights, jax.Array], dict[str, jax.Array]]:
  """Build the function that is exported; it is not compiled.

  Args:
    model: whose variables are passed.
    info: its input size, stage and preset.

  Returns:
    A function of the variables by name (see `read_weights`) and
    `[B, S, S, 1]` uint8 films to the outputs of `outputs_of`, by name.
  """
  whole = info.stage > 1
  plan = map_plan(model, info.image_size, kind=info.preset, whole=whole)
  absent = {
    name: leaf
    for name, leaf in _flat(shapes_of(model, stage=info.stage)).items()
    if not _is_read(name)
  }

  def program(weights: Weights, films: jax.Array) -> dict[str, jax.Array]:
    # No output depends on these, and no compiler keeps them.
    zeros = {n: jnp.zeros(leaf.shape, leaf.dtype) for n, leaf in absent.items()}
    variables = traverse_util.unflatten_dict({**weights, **zeros}, sep="/")
    # Flax types the result of `apply` as if it were of a mutable collection.
    applied: Any = model.apply(
      variables, ops.normalize(films), stage=info.stage
    )
    logits, found = applied
    out = {
      "logits": logits.full,
      "probabilities": jax.nn.sigmoid(logits.full),
      **jax.vmap(plan.named)({name: found[name] for name in plan.keep}),
    }
    return out | ({"boxes": found["picked_boxes"]} if whole else {})

  return program


def read_weights(variables: Any) -> dict[str, np.ndarray]:
  """Return the variables that the program reads, by name.

  Args:
    variables: `params` and `batch_stats`.

  Returns:
    `flat_weights` without the crop classifier, which no output depends on.
  """
  flat = flat_weights(variables)
  return {name: array for name, array in flat.items() if _is_read(name)}


def _is_read(name: str) -> bool:
  return name.split("/")[1] != "crop_classifier"


def _flat(variables: Any) -> dict[str, Any]:
  found: dict[str, Any] = traverse_util.flatten_dict(variables, sep="/")
  return found
