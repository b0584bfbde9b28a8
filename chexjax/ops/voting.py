"""Box voting: each box moved to the mean of those that agree with it."""

import chex
import jax
import jax.numpy as jnp

from chexjax.ops import boxes as box_ops


def vote_boxes(
  boxes: jax.Array, weights: jax.Array, *, overlap: float = 0.2
) -> jax.Array:
  """Averages, for each box, the boxes that overlap it, by weight.

  Args:
    boxes: `[N, 4]` x1, y1, x2, y2 in pixels.
    weights: `[N]`, not negative, such as a softmax of scores.
    overlap: IoU with a box from which on another counts for it; below 1, so
      that a box counts for itself.

  Returns:
    `[N, 4]`; a box whose neighbours all weigh nothing stays as it is. As the
    box voting of Gidaris and Komodakis 2015, except that every box is moved,
    not those alone that suppression leaves.
  """
  chex.assert_shape([boxes, weights], [(None, 4), (None,)])
  near = box_ops.iou(boxes, boxes) > overlap
  weights = jnp.where(near, weights, 0)
  total = weights.sum(-1, keepdims=True)
  mean = jnp.matmul(weights, boxes, precision="highest")
  enough = total > 1e-20
  return jnp.where(enough, mean / jnp.where(enough, total, 1), boxes)
