"""The model's jitted forward pass: over a mesh, or on one device."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from chexjax import messages, ops
from chexjax.inference.maps import MAPS, REGIONS, make_maps
from chexjax.models import ChexModel, Logits, untrained_regions
from chexjax.runtime import compile_cache, memory
from chexjax.runtime.sharding import replicated, sharded
from chexjax.weights.model_info import ModelInfo

# Intermediates that `predict --raw` writes, besides the logits.
RAW = ("saliency_logits", "proposal_scores", "proposal_boxes", "picked")


def make_predict(
  model: ChexModel,
  mesh: Mesh,
  *,
  stage: int,
  keep: tuple[str, ...] = (),
  control: bool = False,
) -> Callable[[Any, jax.Array], tuple[Logits, dict[str, jax.Array]]]:
  """Build a jitted `predict(variables, images)` that is sharded over a mesh.

  Args:
    model: whose variables are passed.
    mesh: with an axis `data`.
    stage: 1 stops after the classification module.
    keep: names of the intermediates to return; XLA drops all others.
    control: whether a freshly initialised detection head runs too. Its
      intermediates have `untrained_` before their names.

  Returns:
    A function of `{"params", "batch_stats"}` and `[B, H, W, 1]` uint8 images
    that returns the `Logits` and the intermediates by name.
  """

  def predict(
    variables: Any, images: jax.Array
  ) -> tuple[Logits, dict[str, jax.Array]]:
    # Flax types the result of `apply` as if it were of a mutable collection.
    found: Any = model.apply(variables, ops.normalize(images), stage=stage)
    logits, maps = found
    if control:
      fresh = untrained_regions(model, maps, *images.shape[1:3])
      maps |= {f"untrained_{name}": value for name, value in fresh.items()}
    return logits, {name: maps[name] for name in keep}

  whole, split = replicated(mesh), sharded(mesh)
  return jax.jit(predict, in_shardings=(whole, split), out_shardings=split)


def make_forward(
  model: ChexModel, info: ModelInfo
) -> Callable[[Any, Any], dict[str, Any]]:
  """Build the jitted function from films to logits and maps.

  Args:
    model: whose variables are passed.
    info: its input size, stage and preset.

  Returns:
    A function of variables and `[B, S, S, 1]` uint8 films. It returns a dict
    with `full_logits` `[B, K]`, `crop_logits` `[B, K]` (without the full
    image's logits added), the intermediates `RAW`, and `maps`: name ->
    `[B, K, h, w]`. If `info.stage` is 1, `sal` is the only map and there is
    nothing of the proposals.
  """
  whole = info.stage > 1
  draw = make_maps(info.image_size, info.preset, whole=whole)

  def forward(variables: Any, images: jax.Array) -> dict[str, Any]:
    logits, found = model.apply(
      variables, ops.normalize(images), stage=info.stage
    )
    out = {"full_logits": logits.full}
    out |= {name: found[name] for name in RAW if name in found}
    if whole:
      out["crop_logits"] = found["crop_logits"]
    given = ("saliency_logits", *REGIONS) if whole else ("saliency_logits",)
    drawn = jax.vmap(draw)(*(found[name] for name in given))
    return out | {"maps": dict(zip(MAPS, drawn))}

  return jax.jit(forward)


def fitting_forward(
  model: ChexModel, info: ModelInfo, variables: Any, batch_size: int
) -> tuple[Callable[[Any, Any], dict[str, Any]], int]:
  """Compile `make_forward` for as many images as fit the free memory.

  Args:
    model: see `make_forward`.
    info: see `make_forward`.
    variables: of the model, on the device.
    batch_size: largest number of images per call. It is halved until the
      compiler's memory plan fits (`memory.fits`).

  Returns:
    The function, and the number of images that each call takes.

  Raises:
    jax.errors.JaxRuntimeError: the compiler failed, or one image is too much.
  """
  forward = make_forward(model, info)
  recipe = repr((model, info.image_size, info.preset, info.stage))
  while True:
    messages.tell(f"compiling for {batch_size} at a time, or loading")
    images = np.zeros((batch_size, info.image_size, info.image_size, 1), "u1")
    try:
      program = compile_cache.compiled(forward, (variables, images), recipe)
      if batch_size == 1 or memory.fits(program.compiled, calls=2):
        return program.run, batch_size
    except jax.errors.JaxRuntimeError as error:
      # XLA on some devices refuses to compile a program that does not fit.
      if batch_size == 1 or "RESOURCE_EXHAUSTED" not in str(error):
        raise
    messages.tell(f"note: the memory does not take {batch_size} at a time")
    batch_size //= 2
