"""Figures that summarise the regions of a detection module."""

import jax
import jax.numpy as jnp
import numpy as np

from chexjax import ops

# Names of the three sizes of proposals.
SIZES = ("small", "middle", "large")


def region_figures(
  scores: jax.Array,
  boxes: jax.Array,
  true_boxes: jax.Array,
  *,
  height: int,
  width: int,
) -> dict[str, jax.Array]:
  """Compute figures of the regions of one finding on one image.

  Args:
    scores: `[N]`.
    boxes: `[N, 4]` refined x1, y1, x2, y2 in pixels.
    true_boxes: `[4]` x1, y1, x2, y2 in pixels. Where it is NaN, the figures
      named `iou_...` are meaningless.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    Scalars by name. Of all scores: `score_spread`, the standard deviation;
    `score_entropy`, the entropy of the softmax in nats. Of the region with the
    highest score: `picked_small`, `picked_middle` and `picked_large`, 1 for
    the size of its proposal, else 0; `box_growth`, the logarithm of its
    refined area over the proposal's; `iou_picked` and `iou_picked_unrefined`,
    its IoU with the true box. Of all regions: `iou_best` and
    `iou_best_unrefined`, the highest IoU.
  """
  proposals = jnp.asarray(ops.make_proposals(height, width))
  picked = jnp.argmax(scores)
  log_confidence = jax.nn.log_softmax(scores)
  size_of = jnp.asarray(np.repeat(np.arange(3), ops.PROPOSAL_COUNTS))
  areas, first_areas = ops.boxes.area(boxes), ops.boxes.area(proposals)
  overlaps = {
    "": ops.boxes.iou(boxes, true_boxes[None])[:, 0],
    "_unrefined": ops.boxes.iou(proposals, true_boxes[None])[:, 0],
  }
  figures = {
    "score_spread": scores.std(),
    "score_entropy": -(jnp.exp(log_confidence) * log_confidence).sum(),
    "box_growth": jnp.log(jnp.maximum(areas, 1) / first_areas)[picked],
  }
  for number, size in enumerate(SIZES):
    figures[f"picked_{size}"] = (size_of[picked] == number) * 1.0
  for kind, overlap in overlaps.items():
    figures[f"iou_picked{kind}"] = overlap[picked]
    figures[f"iou_best{kind}"] = overlap.max()
  return figures
