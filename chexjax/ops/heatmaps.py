"""Maps of where a finding is: x_RPN, x_FS and their released variants."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import (
  check_count,
  check_positive,
  check_shape,
)


def _coverage(start, end, length, stride):
  """Return the share of each cell that each span covers.

  `start` and `end` are `[N]`; cell i of `length` is `[i, i + 1) * stride`;
  the shares are `[N, length]`.
  """
  edges = jnp.arange(length, dtype=start.dtype) * stride
  low = jnp.maximum(start[:, None], edges)
  high = jnp.minimum(end[:, None], edges + stride)
  return jnp.maximum(high - low, 0) / stride


def _sum_of_boxes(rows, cols, weights):
  """Add weighted boxes, given as shares of cells along both axes."""
  # In TF32 or bfloat16, boxes cut out of the map would move.
  return jnp.matmul((rows * weights[:, None]).T, cols, precision="highest")


def _check(boxes, scores, height, width):
  check_shape("boxes", boxes, "[N, 4]")
  check_shape("scores", scores, "[N]", N=len(boxes))
  check_count("height", height)
  check_count("width", width)


def detection_map(
  boxes: jax.Array,
  scores: jax.Array,
  *,
  height: int,
  width: int,
  stride: int = 4,
  tau: float = 1.0,
) -> jax.Array:
  """Average the refined boxes, weighted by confidence: the paper's x_RPN.

  The paper leaves the confidence open; here it is the softmax of the scores,
  so that the map is in 0..1. A cell holds the share of it that a box covers.

  Args:
    boxes: `[N, 4]` x1, y1, x2, y2 in pixels of the image.
    scores: `[N]` raw scores.
    height: of the image, in pixels; a multiple of `stride`.
    width: of the image, in pixels; a multiple of `stride`.
    stride: image pixels per cell of the map.
    tau: temperature of the softmax, positive.

  Returns:
    `[height / stride, width / stride]` in 0..1. For what the authors' code
    draws, see `released_detection_map`.

  Raises:
    ValueError: if an argument has another shape, a side or `stride` is not a
      positive integer, `stride` does not divide a side, or `tau` is a number
      that is not positive. A `jax.Array`, traced or not, is not read: a `tau`
      of 0 in it gives NaN.

  Example:
    >>> boxes = jnp.array([[0.0, 0.0, 8.0, 8.0], [8.0, 0.0, 16.0, 8.0]])
    >>> detection_map(boxes, jnp.zeros(2), height=8, width=16).tolist()
    [[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]]
  """
  _check(boxes, scores, height, width)
  check_count("stride", stride)
  check_positive("tau", tau)
  if height % stride or width % stride:
    raise ValueError(
      f"height and width must be multiples of stride {stride}, "
      f"got {height} and {width}"
    )
  x1, y1, x2, y2 = boxes.T
  confidence = jax.nn.softmax(scores / tau)
  rows = _coverage(y1, y2, height // stride, stride)
  cols = _coverage(x1, x2, width // stride, stride)
  # The softmax sums to 1 only up to rounding.
  return jnp.clip(_sum_of_boxes(rows, cols, confidence), 0, 1)


def final_map(saliency_logits: jax.Array, detections: jax.Array) -> jax.Array:
  """Multiply saliency and detection map: the paper's x_FS.

  Args:
    saliency_logits: `[h, w]` of one finding.
    detections: `[h, w]` in 0..1, of `detection_map`.

  Returns:
    `[h, w]` in 0..1. For what the authors' code draws, see
    `released_final_map`.

  Raises:
    ValueError: if an argument has another shape.
  """
  check_shape("saliency_logits", saliency_logits, "[h, w]")
  h, w = saliency_logits.shape
  check_shape("detections", detections, "[h, w]", h=h, w=w)
  return jax.nn.sigmoid(saliency_logits) * detections


def released_detection_map(
  boxes: jax.Array, scores: jax.Array, *, height: int, width: int
) -> jax.Array:
  """Add each raw score inside its rounded box, as the released code does.

  Rounding has no gradient, so the map has one to the scores alone.

  Args:
    boxes: `[N, 4]` x1, y1, x2, y2 in pixels of the image.
    scores: `[N]` raw scores, negative ones too.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    `[height, width]`, of any sign. As `detection_map`, except that it is a sum
    and not an average, at the image's own resolution.

  Raises:
    ValueError: if an argument has another shape, or a side is not a positive
      integer.
  """
  _check(boxes, scores, height, width)
  x1, y1, x2, y2 = jnp.round(boxes).T
  rows = _coverage(y1, y2, height, 1)
  cols = _coverage(x1, x2, width, 1)
  return _sum_of_boxes(rows, cols, scores)


def released_final_map(
  saliency_logits: jax.Array, detections: jax.Array
) -> jax.Array:
  """Multiply the upsampled saliency with the released detection map.

  Args:
    saliency_logits: `[h, w]` of one finding.
    detections: `[H, W]` of `released_detection_map`.

  Returns:
    `[H, W]` of any sign; the saliency is upsampled bilinearly, half-pixel
    centres. As `final_map`, except for the resolution and the range.

  Raises:
    ValueError: if an argument has another shape.
  """
  check_shape("saliency_logits", saliency_logits, "[h, w]")
  check_shape("detections", detections, "[H, W]")
  saliency = jax.nn.sigmoid(saliency_logits)
  return jax.image.resize(saliency, detections.shape, "bilinear") * detections
