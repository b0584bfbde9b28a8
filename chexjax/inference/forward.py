"""The model's jitted forward pass: over a mesh, or on one device."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from chexjax import messages, ops
from chexjax.inference.maps import GRAD_CAMS, map_plan
from chexjax.models import for_platform, saliency_cams, untrained_regions
from chexjax.progress import Progress
from chexjax.runtime import compile_cache, drawing, memory
from chexjax.runtime.sharding import replicated, sharded
from chexjax.systems import (
  Model,
  OneStageModel,
  untrained_heads,
  untrained_maps,
)
from chexjax.weights.model_info import ModelInfo

# Intermediates that `predict --raw` writes, besides the logits.
RAW = ("saliency_logits", "proposal_scores", "proposal_boxes", "picked")


def make_predict(
  model: Model,
  mesh: Mesh,
  *,
  stage: int,
  keep: tuple[str, ...] = (),
  control: bool = False,
) -> Callable[..., tuple[jax.Array, dict[str, jax.Array]]]:
  """Build a jitted `predict(variables, images, heads)`, sharded over a mesh.

  Args:
    model: whose variables are passed.
    mesh: with an axis `data`.
    stage: 1 stops after the classification module.
    keep: names of the intermediates to return; XLA drops all others.
    control: whether freshly initialised heads run too. Their intermediates
      have `untrained_` before their names.

  Returns:
    A function of `{"params", "batch_stats"}`, `[B, H, W, 1]` uint8 images and
    `control_heads(model)`. It returns the logits `[B, K]` of the full images
    and the intermediates by name.
  """

  @for_platform(
    mesh.devices.flat[0].platform, devices=mesh.size, tf32=model.tf32
  )
  def predict(
    variables: Any, images: jax.Array, heads: Any
  ) -> tuple[jax.Array, dict[str, jax.Array]]:
    normalized = ops.normalize(images)
    # Flax types the result of `apply` as if it were of a mutable collection.
    found: Any = model.apply(variables, normalized, stage=stage)
    logits, maps = found
    if set(GRAD_CAMS) <= set(keep) and not isinstance(model, OneStageModel):
      maps |= saliency_cams(model, variables, maps["hidden"])
    if control:
      if isinstance(model, OneStageModel):
        fresh = untrained_maps(model, variables, heads, normalized)
      else:
        fresh = untrained_regions(model, maps, *images.shape[1:3])
      maps |= {f"untrained_{name}": value for name, value in fresh.items()}
    return logits.full, {name: maps[name] for name in keep}

  whole, split = replicated(mesh), sharded(mesh)
  return jax.jit(
    predict, in_shardings=(whole, split, whole), out_shardings=split
  )


def control_heads(model: Model, size: int) -> Any:
  """Draw the untrained heads that the control rows of a system need.

  Args:
    model: our own needs none here; its heads are drawn where they are used.
    size: side of the images, in pixels.

  Returns:
    Of `untrained_heads`; empty for our own model.
  """
  if not isinstance(model, OneStageModel):
    return {}
  shape = (1, size, size, 3)
  init = functools.partial(model.init, images=jnp.zeros(shape))
  return untrained_heads(lambda seed: drawing.draw(init, jax.random.key(seed)))


def make_forward(
  model: Model, info: ModelInfo, *, platform: str | None = None
) -> Callable[[Any, Any], dict[str, Any]]:
  """Build the jitted function from films to logits and maps.

  Args:
    model: whose variables are passed.
    info: its input size, stage and preset.
    platform: that it is lowered for; by default that of this process.

  Returns:
    A function of variables and `[B, S, S, 1]` uint8 films. It returns a dict
    with `full_logits` `[B, K]`, `crop_logits` `[B, K]` (without the full
    image's logits added), the intermediates `RAW`, and `maps`: name ->
    `[B, K, h, w]`. If `info.stage` is 1, there is nothing of the proposals,
    and of our own model `sal` is the only map.
  """
  whole = info.stage > 1
  plan = map_plan(model, info.image_size, kind=info.preset, whole=whole)

  @for_platform(platform or jax.default_backend(), tf32=model.tf32)
  def forward(variables: Any, images: jax.Array) -> dict[str, Any]:
    # Flax types the result of `apply` as if it were of a mutable collection.
    applied: Any = model.apply(
      variables, ops.normalize(images), stage=info.stage
    )
    logits, found = applied
    out = {"full_logits": logits.full}
    out |= {name: found[name] for name in RAW if name in found}
    if whole:
      out["crop_logits"] = found["crop_logits"]
    return out | {"maps": jax.vmap(plan.named)(found)}

  return jax.jit(forward)


def fitting_forward(
  model: Model, info: ModelInfo, variables: Any, batch_size: int
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
    images = np.zeros((batch_size, info.image_size, info.image_size, 1), "u1")
    try:
      with Progress(f"compiling for {batch_size} films at a time"):
        program = compile_cache.compiled(forward, (variables, images), recipe)
      if batch_size == 1 or memory.fits(program.compiled, calls=2):
        return program.run, batch_size
    except jax.errors.JaxRuntimeError as error:
      # XLA on some devices refuses to compile a program that does not fit.
      if batch_size == 1 or "RESOURCE_EXHAUSTED" not in str(error):
        raise
    messages.tell(
      f"note: the memory does not take {batch_size} at a time; trying "
      f"{batch_size // 2}"
    )
    batch_size //= 2
