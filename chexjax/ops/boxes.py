"""Boxes: geometry, format changes and the Faster R-CNN coding.

Boxes are x1, y1, x2, y2 in pixels, origin top left, x2 and y2 exclusive
(`chexjax.types`), unless a function says otherwise.
"""

import math

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_broadcast, check_positive, check_shape

# Largest log-scale a decoded box may grow by, as Faster R-CNN's.
MAX_LOG_SCALE = math.log(1000 / 16)


def area(boxes: jax.Array) -> jax.Array:
  """Return the areas of boxes; inverted boxes have none.

  Args:
    boxes: `[..., 4]` in pixels.

  Returns:
    `[...]` square pixels, at least 0. As `torchvision.ops.box_area`, except
    that an inverted box gives 0, not the product of its sides.

  Raises:
    ValueError: if `boxes` has another shape.
  """
  check_shape("boxes", boxes, "[..., 4]")
  sides = jnp.maximum(boxes[..., 2:] - boxes[..., :2], 0)
  return sides[..., 0] * sides[..., 1]


def iou(a: jax.Array, b: jax.Array) -> jax.Array:
  """Compute every pair's intersection over union; 0 where both are empty.

  Args:
    a: `[N, 4]` boxes in pixels.
    b: `[M, 4]` boxes in pixels.

  Returns:
    `[N, M]` in 0..1. As `torchvision.ops.box_iou`, except that two empty
    boxes give 0, not NaN.

  Raises:
    ValueError: if `a` or `b` has another shape.

  Example:
    >>> a = jnp.array([[0.0, 0.0, 10.0, 10.0]])
    >>> b = jnp.array([[0.0, 0.0, 10.0, 5.0], [20.0, 20.0, 30.0, 30.0]])
    >>> iou(a, b).tolist()
    [[0.5, 0.0]]
  """
  check_shape("a", a, "[N, 4]")
  check_shape("b", b, "[M, 4]")
  low = jnp.maximum(a[:, None, :2], b[None, :, :2])
  high = jnp.minimum(a[:, None, 2:], b[None, :, 2:])
  inner = area(jnp.concatenate([low, high], -1))
  union = area(a)[:, None] + area(b)[None] - inner
  return jnp.where(union > 0, inner / jnp.where(union > 0, union, 1), 0)


def _check(boxes, height, width):
  check_shape("boxes", boxes, "[..., 4]")
  check_positive("height", height)
  check_positive("width", width)


def clip(boxes: jax.Array, *, height: float, width: float) -> jax.Array:
  """Clip boxes to the image; one outside of it becomes empty at the border.

  Args:
    boxes: `[..., 4]` in pixels.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    `[..., 4]` with x in 0..width and y in 0..height. As
    `torchvision.ops.clip_boxes_to_image`.

  Raises:
    ValueError: if `boxes` has another shape, or a side is not positive.
  """
  _check(boxes, height, width)
  limits = jnp.array([width, height, width, height], boxes.dtype)
  return jnp.clip(boxes, 0, limits)


def _centre_and_size(boxes):
  size = boxes[..., 2:] - boxes[..., :2]
  return boxes[..., :2] + size / 2, size


def decode(deltas: jax.Array, anchors: jax.Array) -> jax.Array:
  """Move and scale anchors by Faster R-CNN deltas (Ren et al. 2015).

  Args:
    deltas: `[..., 4]` dx, dy in anchor sizes, dw, dh in log scale; dw and dh
      are clamped at log(1000 / 16).
    anchors: `[..., 4]` boxes in pixels, of a shape that broadcasts with that
      of `deltas`.

  Returns:
    `[..., 4]` boxes in pixels, not clipped to the image. As torchvision's
    `BoxCoder.decode` with weights 1.

  Raises:
    ValueError: if an argument has another shape.
  """
  check_shape("deltas", deltas, "[..., 4]")
  check_shape("anchors", anchors, "[..., 4]")
  check_broadcast("deltas", deltas, "anchors", anchors)
  centre, size = _centre_and_size(anchors)
  centre = centre + deltas[..., :2] * size
  half = jnp.exp(jnp.minimum(deltas[..., 2:], MAX_LOG_SCALE)) * size / 2
  return jnp.concatenate([centre - half, centre + half], -1)


def encode(boxes: jax.Array, anchors: jax.Array) -> jax.Array:
  """Compute the deltas by which `decode` turns anchors into boxes.

  A side of 0 has no logarithm: it gives an infinite delta or NaN.

  Args:
    boxes: `[..., 4]` of positive width and height, in pixels.
    anchors: `[..., 4]` of positive width and height, in pixels, of a shape
      that broadcasts with that of `boxes`.

  Returns:
    `[..., 4]` dx, dy in anchor sizes, dw, dh in log scale, not clamped. As
    torchvision's `BoxCoder.encode` with weights 1.

  Raises:
    ValueError: if an argument has another shape.
  """
  check_shape("boxes", boxes, "[..., 4]")
  check_shape("anchors", anchors, "[..., 4]")
  check_broadcast("boxes", boxes, "anchors", anchors)
  centre, size = _centre_and_size(boxes)
  anchor_centre, anchor_size = _centre_and_size(anchors)
  return jnp.concatenate(
    [(centre - anchor_centre) / anchor_size, jnp.log(size / anchor_size)], -1
  )


def warp(
  boxes: jax.Array, matrix: jax.Array, *, height: float, width: float
) -> jax.Array:
  """Move boxes along with an image that `affine_warp` moves.

  A rotated box is no longer aligned with the axes: the result is the hull of
  its four corners, so it is larger than what the box was drawn around.

  Args:
    boxes: `[..., 4]` in pixels of the image.
    matrix: `[2, 3]` from output to input x, y, in pixels, origin at the
      image's centre; its left half must be invertible.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    `[..., 4]` in pixels of the warped image, not clipped to it.

  Raises:
    ValueError: if an argument has another shape, or a side is not positive.
  """
  _check(boxes, height, width)
  check_shape("matrix", matrix, "[2, 3]")
  centre = jnp.array([width, height]) / 2
  corners = boxes[..., jnp.array([[0, 1], [2, 1], [2, 3], [0, 3]])] - centre
  inverse = jnp.linalg.inv(matrix[:, :2])
  # A matmul may run in bfloat16 or TF32 on an accelerator: pixels would move.
  moved = jnp.einsum(
    "ij,...j->...i", inverse, corners - matrix[:, 2], precision="highest"
  )
  moved = moved + centre
  return jnp.concatenate([moved.min(-2), moved.max(-2)], -1)


def to_xywh(boxes: jax.Array) -> jax.Array:
  """Convert x1, y1, x2, y2 to x, y, width, height.

  Args:
    boxes: `[..., 4]` in any unit.

  Returns:
    `[..., 4]` in the same unit, as BBox_List_2017.csv holds them and as
    `torchvision.ops.box_convert(in_fmt="xyxy", out_fmt="xywh")`.

  Raises:
    ValueError: if `boxes` has another shape.
  """
  check_shape("boxes", boxes, "[..., 4]")
  return jnp.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], -1)


def from_xywh(boxes: jax.Array) -> jax.Array:
  """Convert x, y, width, height to x1, y1, x2, y2.

  Args:
    boxes: `[..., 4]` in any unit.

  Returns:
    `[..., 4]` in the same unit, as
    `torchvision.ops.box_convert(in_fmt="xywh", out_fmt="xyxy")`.

  Raises:
    ValueError: if `boxes` has another shape.
  """
  check_shape("boxes", boxes, "[..., 4]")
  return jnp.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], -1)


def from_normalized_yxyx(
  boxes: jax.Array, *, height: float, width: float
) -> jax.Array:
  """Convert TFDS's ymin, xmin, ymax, xmax of 0..1 to pixels x1, y1, x2, y2.

  Args:
    boxes: `[..., 4]` float, fractions of the image, origin top left.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    `[..., 4]` in pixels.

  Raises:
    ValueError: if `boxes` has another shape, or a side is not positive.
  """
  _check(boxes, height, width)
  scale = jnp.array([height, width, height, width], boxes.dtype)
  return (boxes * scale)[..., jnp.array([1, 0, 3, 2])]


def to_normalized_yxyx(
  boxes: jax.Array, *, height: float, width: float
) -> jax.Array:
  """Convert pixels x1, y1, x2, y2 to TFDS's ymin, xmin, ymax, xmax of 0..1.

  Args:
    boxes: `[..., 4]` in pixels.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    `[..., 4]`, fractions of the image; a box inside it is in 0..1.

  Raises:
    ValueError: if `boxes` has another shape, or a side is not positive.
  """
  _check(boxes, height, width)
  scale = jnp.array([height, width, height, width], boxes.dtype)
  return boxes[..., jnp.array([1, 0, 3, 2])] / scale
