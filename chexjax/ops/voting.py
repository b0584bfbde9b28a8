"""Box voting: each box moved to the mean of those that agree with it."""

import jax
import jax.numpy as jnp

from chexjax.ops import boxes as box_ops
from chexjax.ops.checks import check_shape


def vote_boxes(
  boxes: jax.Array, weights: jax.Array, *, overlap: float = 0.2
) -> jax.Array:
  """Average the boxes that overlap each box, by weight.

  Args:
    boxes: `[N, 4]` x1, y1, x2, y2 in pixels.
    weights: `[N]`, not negative, such as a softmax of scores.
    overlap: IoU with a box from which on another counts for it; below 1, so
      that a box counts for itself.

  Returns:
    `[N, 4]`; a box whose neighbours all weigh nothing stays as it is. As the
    box voting of Gidaris and Komodakis 2015, except that every box is moved,
    not those alone that suppression leaves.

  Raises:
    ValueError: if an argument has another shape, or the lengths differ.
  """
  check_shape("boxes", boxes, "[N, 4]")
  check_shape("weights", weights, "[N]", N=len(boxes))
  near = box_ops.iou(boxes, boxes) > overlap
  weights = jnp.where(near, weights, 0)
  total = weights.sum(-1, keepdims=True)
  mean = jnp.matmul(weights, boxes, precision="highest")
  enough = total > 1e-20
  return jnp.where(enough, mean / jnp.where(enough, total, 1), boxes)
