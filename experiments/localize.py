"""From images to logits, maps and boxes: what `predict` computes."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from chexjax import evaluation, ops
from chexjax.evaluation.heat import cut_values, upsample
from chexjax.models import ChexModel
from experiments import memory, programs
from experiments.models import ModelInfo
from experiments.scoring import MAPS, make_maps

# What `--raw` writes, beside the two sets of logits.
RAW = ("saliency_logits", "proposal_scores", "proposal_boxes", "picked")


def map_of(info: ModelInfo) -> str:
  """Returns the map that boxes are cut from: Mix, or saliency alone."""
  return "mix" if info.stage > 1 else "sal"


def make_forward(
  model: ChexModel, info: ModelInfo
) -> Callable[[Any, Any], dict[str, jax.Array]]:
  """Builds the jitted forward pass of `predict`.

  Returns:
    A function of variables and `[B, S, S, 1]` uint8 to `full_logits`,
    `crop_logits` (of the crop alone), `RAW` and `heat` `[B, K, h, w]`, the map
    that boxes are cut from; without proposals where `info` says stage 1.
  """
  draw = make_maps(info.image_size, info.preset)

  def forward(variables, images):
    logits, found = model.apply(
      variables, ops.normalize(images), stage=info.stage
    )
    out = {"full_logits": logits.full}
    out |= {name: found[name] for name in RAW if name in found}
    if info.stage == 1:
      return out | {"heat": jax.nn.sigmoid(found["saliency_logits"])}
    maps = jax.vmap(draw)(
      found["saliency_logits"],
      found["proposal_boxes"],
      found["proposal_scores"],
    )
    heat = dict(zip(MAPS, maps))[map_of(info)]
    return out | {"crop_logits": found["crop_logits"], "heat": heat}

  return jax.jit(forward)


def fitting_forward(
  model: ChexModel, info: ModelInfo, variables: Any, batch_size: int
) -> tuple[Callable[[Any, Any], dict[str, jax.Array]], int]:
  """Compiles `make_forward` for as many images as fit the free memory.

  Args:
    model: see `make_forward`.
    info: see `make_forward`.
    variables: of the model, on the device.
    batch_size: images at most; it is halved until what the compiler plans
      `memory.fits`.

  Returns:
    The function, and the number of images it takes at a time.
  """
  forward = make_forward(model, info)
  recipe = repr((model, info.image_size, info.preset, info.stage))
  while True:
    print(f"compiling for {batch_size} at a time, or loading", flush=True)
    images = np.zeros((batch_size, info.image_size, info.image_size, 1), "u1")
    try:
      program = programs.compiled(forward, (variables, images), recipe)
      if batch_size == 1 or memory.fits(program.compiled, calls=2):
        return program.run, batch_size
    except jax.errors.JaxRuntimeError as error:
      # Some compilers refuse what does not fit.
      if batch_size == 1 or "RESOURCE_EXHAUSTED" not in str(error):
        raise
    print(f"note: the memory does not take {batch_size} at a time")
    batch_size //= 2


def box_map(
  heat: np.ndarray, percentile: float, *, size: int, original: tuple[int, int]
) -> dict[str, Any]:
  """Cuts a map and boxes its largest component.

  Args:
    heat: `[h, w]`.
    percentile: share of pixels below the cut, 0..1.
    size: side of the model's input, in pixels.
    original: height and width of the image as it was.

  Returns:
    `box`, x1, y1, x2, y2 in pixels of the original, None where the map is
    flat; `box_score`, the highest value of the map inside it; `threshold` and
    the `cut` it came to.
  """
  full = upsample(np.asarray(heat, np.float32), (size, size))
  cut = float(cut_values(full, [percentile], "percentile")[0])
  found = {"box": None, "box_score": None, "threshold": percentile, "cut": cut}
  box = None
  if full.max() > full.min():
    box = evaluation.component_box(full, cut)
  if box is None:
    return found
  x1, y1, x2, y2 = box.astype(int)
  height, width = original
  scale = np.array([width, height, width, height]) / [
    full.shape[1],
    full.shape[0],
    full.shape[1],
    full.shape[0],
  ]
  found["box"] = (box * scale).round(2).tolist()
  found["box_score"] = float(full[y1:y2, x1:x2].max())
  return found
