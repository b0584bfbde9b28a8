"""Maps of where a finding is, drawn from what the model gives."""

from collections.abc import Callable
from typing import Any

import jax

from chexjax import ops

# Saliency, detection and final map: x_SAL, x_RPN and x_FS of the paper.
MAPS = ("sal", "det", "mix")
# The intermediates that the last two are drawn from.
REGIONS = ("proposal_boxes", "proposal_scores")


def make_maps(
  size: int, kind: str, *, whole: bool = True
) -> Callable[..., tuple[Any, ...]]:
  """Build the jitted function that draws the maps of an image's findings.

  Args:
    size: side of the image, in pixels.
    kind: "paper" or "released": whose detection and final map.
    whole: whether there are proposals; else the saliency map alone is drawn.

  Returns:
    A function of saliency logits `[K, h, w]` and, if `whole`, boxes
    `[K, N, 4]` and scores `[K, N]` to `MAPS`, `[K, h', w']` each.
  """

  def saliency_alone(saliency):
    return (jax.nn.sigmoid(saliency),)

  def paper(saliency, boxes, scores):
    det = ops.detection_map(boxes, scores, height=size, width=size)
    return jax.nn.sigmoid(saliency), det, ops.final_map(saliency, det)

  def released(saliency, boxes, scores):
    det = ops.released_detection_map(boxes, scores, height=size, width=size)
    mix = ops.released_final_map(saliency, det)
    return jax.nn.sigmoid(saliency), det, mix

  drawn = {"paper": paper, "released": released}[kind]
  return jax.jit(jax.vmap(drawn if whole else saliency_alone))
