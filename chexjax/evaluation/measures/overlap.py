"""How much two boxes, or a heat map and a box, cover each other."""

import numpy as np


def area(boxes):
  """Give the area of boxes; an inverted or empty box has none.

  Args:
    boxes: `[..., 4]` `x1, y1, x2, y2`, x2 and y2 exclusive.

  Returns:
    `[...]` float64.
  """
  boxes = np.asarray(boxes, np.float64)
  return np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1)


def intersection(a, b):
  """Give the area shared by boxes `[..., 4]`, broadcast against each other."""
  a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
  low = np.maximum(a[..., :2], b[..., :2])
  high = np.minimum(a[..., 2:], b[..., 2:])
  return np.prod(np.maximum(high - low, 0.0), axis=-1)


def _ratio(part, whole):
  return np.divide(
    part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0
  )


def iou(a, b):
  """Give intersection over union in 0..1; two empty boxes give 0.

  Args:
    a: `[..., 4]` boxes.
    b: `[..., 4]` boxes, broadcast against `a`.

  Returns:
    `[...]` float64.
  """
  shared = intersection(a, b)
  return _ratio(shared, area(a) + area(b) - shared)


def iobb(predicted, true):
  """Give intersection over the *predicted* box's area (Wang et al., 2017).

  A tiny box inside the true one scores 1: never read it without the IoU.
  """
  shared = intersection(predicted, true)
  return _ratio(shared, np.broadcast_to(area(predicted), shared.shape))


def dice(a, b):
  """Give `2 |a b| / (|a| + |b|)`: `cdice` of two boxes' masks, exactly."""
  return _ratio(2.0 * intersection(a, b), area(a) + area(b))


def contains(boxes, points):
  """Tell whether points `[..., 2]` x, y lie in boxes `[..., 4]`."""
  boxes, points = np.asarray(boxes), np.asarray(points)
  low, high = boxes[..., :2], boxes[..., 2:]
  return ((low <= points) & (points < high)).all(-1)


def box_slices(box, shape):
  """Give the pixels whose centre lies in a box, as (rows, columns) slices.

  Args:
    box: `x1, y1, x2, y2` in pixels; parts off the image are left out.
    shape: `(height, width)` of the image.
  """
  x1, y1, x2, y2 = np.ceil(np.asarray(box, np.float64) - 0.5).astype(int)
  height, width = shape
  return (
    slice(*np.clip([y1, y2], 0, height)),
    slice(*np.clip([x1, x2], 0, width)),
  )


def cdice(heat, box):
  """Give the continuous Dice of a map and a box's mask, without a threshold.

  `2 sum(a b) / (sum a^2 + sum b^2)` (paper, section 3), with b = 1 on the
  pixels whose centre lies in the box. An all-zero map gives 0.

  Args:
    heat: `[h, w]`, meant to be in 0..1 (see `heat.rescale`).
    box: `[4]` in pixels of the map.
  """
  inside = heat[box_slices(box, heat.shape)]
  flat = np.ravel(heat)  # BLAS sums float32 in lanes and blocks: 1e-6
  whole = float(flat @ flat) + inside.size
  return 2.0 * float(inside.sum(dtype=np.float64)) / whole if whole else 0.0
