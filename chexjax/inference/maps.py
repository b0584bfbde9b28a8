"""Maps of where a finding is, drawn from the model's intermediates."""

from collections.abc import Callable

import jax

from chexjax import ops

Maps = tuple[jax.Array, ...]

# The paper's saliency map x_SAL, detection map x_RPN and final map x_FS.
MAPS = ("sal", "det", "mix")
# The intermediates that `det` and `mix` are drawn from.
REGIONS = ("proposal_boxes", "proposal_scores")


def make_maps(
  size: int, kind: str, *, whole: bool = True
) -> Callable[..., Maps]:
  """Build the jitted function that draws the maps of an image's findings.

  Args:
    size: side of the image, in pixels.
    kind: "paper" or "released": whose detection and final map.
    whole: whether there are proposals; otherwise only `sal` is drawn.

  Returns:
    A function of saliency logits `[K, h, w]` and, if `whole`, boxes
    `[K, N, 4]` and scores `[K, N]`. It returns `MAPS` in their order, each
    `[K, h', w']` with a size of its own.
  """

  def saliency_alone(saliency: jax.Array) -> Maps:
    return (jax.nn.sigmoid(saliency),)

  def paper(saliency: jax.Array, boxes: jax.Array, scores: jax.Array) -> Maps:
    det = ops.detection_map(boxes, scores, height=size, width=size)
    return jax.nn.sigmoid(saliency), det, ops.final_map(saliency, det)

  def released(
    saliency: jax.Array, boxes: jax.Array, scores: jax.Array
  ) -> Maps:
    det = ops.released_detection_map(boxes, scores, height=size, width=size)
    mix = ops.released_final_map(saliency, det)
    return jax.nn.sigmoid(saliency), det, mix

  drawn: Callable[..., Maps] = {"paper": paper, "released": released}[kind]
  return jax.jit(jax.vmap(drawn if whole else saliency_alone))
