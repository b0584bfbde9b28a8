"""Maps of where a finding is: x_RPN, x_FS and their released variants."""

import chex
import jax
import jax.numpy as jnp


def _coverage(start, end, length, stride):
  """Share `[N, length]` of each cell `[i, i + 1) * stride` inside a span."""
  edges = jnp.arange(length, dtype=start.dtype) * stride
  low = jnp.maximum(start[:, None], edges)
  high = jnp.minimum(end[:, None], edges + stride)
  return jnp.maximum(high - low, 0) / stride


def detection_map(
  boxes: jax.Array,
  scores: jax.Array,
  *,
  height: int,
  width: int,
  stride: int = 4,
  tau: float = 1.0,
) -> jax.Array:
  """Averages the refined boxes, weighted by confidence: the paper's x_RPN.

  The paper leaves the confidence open; here it is the softmax of the scores,
  so that the map is in 0..1. A cell holds the share of it that a box covers.

  Args:
    boxes: `[N, 4]` in pixels of the image.
    scores: `[N]` raw scores.
    height: of the image, in pixels.
    width: of the image, in pixels.
    stride: image pixels per cell of the map.
    tau: temperature of the softmax.

  Returns:
    `[height / stride, width / stride]` in 0..1.
  """
  chex.assert_rank([boxes, scores], [2, 1])
  x1, y1, x2, y2 = boxes.T
  confidence = jax.nn.softmax(scores / tau)
  rows = _coverage(y1, y2, height // stride, stride)
  cols = _coverage(x1, x2, width // stride, stride)
  # The softmax sums to 1 only up to rounding.
  return jnp.clip((rows * confidence[:, None]).T @ cols, 0, 1)


def final_map(saliency_logits: jax.Array, detections: jax.Array) -> jax.Array:
  """Multiplies saliency and detection map: the paper's x_FS.

  Args:
    saliency_logits: `[h, w]`.
    detections: `[h, w]` in 0..1, of `detection_map`.

  Returns:
    `[h, w]` in 0..1.
  """
  chex.assert_equal_shape([saliency_logits, detections])
  return jax.nn.sigmoid(saliency_logits) * detections


def released_detection_map(
  boxes: jax.Array, scores: jax.Array, *, height: int, width: int
) -> jax.Array:
  """Adds each raw score inside its rounded box, as the released code does.

  Args:
    boxes: `[N, 4]` in pixels of the image.
    scores: `[N]` raw scores, negative ones too.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    `[height, width]`, a sum and not an average, of any sign.
  """
  chex.assert_rank([boxes, scores], [2, 1])
  x1, y1, x2, y2 = jnp.round(boxes).T
  rows = _coverage(y1, y2, height, 1)
  cols = _coverage(x1, x2, width, 1)
  return (rows * scores[:, None]).T @ cols


def released_final_map(
  saliency_logits: jax.Array, detections: jax.Array
) -> jax.Array:
  """Multiplies the upsampled saliency with the released detection map.

  Args:
    saliency_logits: `[h, w]`.
    detections: `[H, W]` of `released_detection_map`.

  Returns:
    `[H, W]`; the saliency is upsampled bilinearly, half-pixel centres.
  """
  saliency = jax.nn.sigmoid(saliency_logits)
  return jax.image.resize(saliency, detections.shape, "bilinear") * detections
