"""How much two boxes, or a heat map and a box, cover each other.

Boxes are x1, y1, x2, y2 in pixels, x2 and y2 exclusive. The arithmetic is
float64 on the host; `chexjax.ops.boxes` has the same measures for the device.
"""

import itertools

import numpy as np
from numpy.typing import ArrayLike


def area(boxes: ArrayLike) -> np.ndarray:
  """Return the areas of boxes; inverted boxes have none.

  Args:
    boxes: `[..., 4]` in pixels.

  Returns:
    `[...]` float64 square pixels, at least 0. As `torchvision.ops.box_area`,
    except that an inverted box gives 0, not the product of its sides.
  """
  boxes = np.asarray(boxes, np.float64)
  sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
  return np.asarray(np.prod(sides, axis=-1))


def intersection(a: ArrayLike, b: ArrayLike) -> np.ndarray:
  """Return the area that boxes share.

  Args:
    a: `[..., 4]` in pixels.
    b: `[..., 4]` in pixels, broadcast against `a`.

  Returns:
    `[...]` float64 square pixels, at least 0.
  """
  a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
  low = np.maximum(a[..., :2], b[..., :2])
  high = np.minimum(a[..., 2:], b[..., 2:])
  return np.asarray(np.prod(np.maximum(high - low, 0.0), axis=-1))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
  """Return `part / whole`, and 0 where `whole` is 0.

  Args:
    part: `[...]`.
    whole: `[...]`, at least 0.

  Returns:
    `[...]` float64.
  """
  return np.divide(
    part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0
  )


def iou(a: ArrayLike, b: ArrayLike) -> np.ndarray:
  """Compute intersection over union; 0 where both boxes are empty.

  Args:
    a: `[..., 4]` in pixels.
    b: `[..., 4]` in pixels, broadcast against `a`.

  Returns:
    `[...]` float64 in 0..1. As the diagonal of `torchvision.ops.box_iou`,
    except that two empty boxes give 0, not NaN.
  """
  shared = intersection(a, b)
  return ratio(shared, area(a) + area(b) - shared)


def iobb(predicted: ArrayLike, true: ArrayLike) -> np.ndarray:
  """Compute intersection over the *predicted* box's area (Wang et al. 2017).

  A tiny box inside the true one scores 1: never read it without the IoU.

  Args:
    predicted: `[..., 4]` in pixels.
    true: `[..., 4]` in pixels, broadcast against `predicted`.

  Returns:
    `[...]` float64 in 0..1; 0 where the predicted box is empty.
  """
  shared = intersection(predicted, true)
  return ratio(shared, np.broadcast_to(area(predicted), shared.shape))


def dice(a: ArrayLike, b: ArrayLike) -> np.ndarray:
  """Compute the Dice coefficient of two boxes, `2 |a b| / (|a| + |b|)`.

  It is exactly `cdice` of one box's mask and the other box.

  Args:
    a: `[..., 4]` in pixels.
    b: `[..., 4]` in pixels, broadcast against `a`.

  Returns:
    `[...]` float64 in 0..1; 0 where both boxes are empty.
  """
  return ratio(2.0 * intersection(a, b), area(a) + area(b))


def contains(boxes: ArrayLike, points: ArrayLike) -> np.ndarray:
  """Return whether points lie in boxes; the right and lower edges do not.

  Args:
    boxes: `[..., 4]` in pixels.
    points: `[..., 2]` x, y in pixels, broadcast against `boxes`.

  Returns:
    `[...]` bool.
  """
  boxes, points = np.asarray(boxes), np.asarray(points)
  low, high = boxes[..., :2], boxes[..., 2:]
  return np.asarray(((low <= points) & (points < high)).all(-1))


def disjoint(boxes: ArrayLike) -> np.ndarray:
  """Cut the union of boxes into boxes that do not overlap.

  The edges of all boxes cut the plane into cells; covered cells that touch in
  a row are joined. It is exact: no pixel grid is laid.

  Args:
    boxes: `[M, 4]` in pixels.

  Returns:
    `[C, 4]` float64; their areas add up to that of the union.
  """
  boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
  xs, ys = (np.unique(boxes[:, [i, i + 2]]) for i in (0, 1))
  found = []
  for low, high in itertools.pairwise(ys):
    here = boxes[(boxes[:, 1] <= low) & (boxes[:, 3] >= high)]
    covered = np.zeros(len(xs) + 1, bool)  # one empty cell at either end
    for x1, _, x2, _ in here:
      covered[1:-1] |= (xs[:-1] >= x1) & (xs[1:] <= x2)
    flips = np.flatnonzero(covered[1:] != covered[:-1])
    found += [
      [xs[a], low, xs[b], high] for a, b in zip(flips[::2], flips[1::2])
    ]
  return np.array(found, np.float64).reshape(-1, 4)


def box_slices(box: ArrayLike, shape: tuple[int, ...]) -> tuple[slice, slice]:
  """Return the pixels whose centre lies in a box.

  Args:
    box: `[4]` in pixels; its parts outside the image are left out.
    shape: height and width of the image, in pixels.

  Returns:
    The slice of the rows and the slice of the columns.
  """
  x1, y1, x2, y2 = np.ceil(np.asarray(box, np.float64) - 0.5).astype(int)
  height, width = shape
  return (
    slice(*np.clip([y1, y2], 0, height)),
    slice(*np.clip([x1, x2], 0, width)),
  )


def cdice(heat: np.ndarray, box: ArrayLike) -> float:
  """Compute the continuous Dice of a map and a box; no threshold is needed.

  `2 sum(a b) / (sum a^2 + sum b^2)` (Hermoza et al. 2020, section 3), where a
  is the map and b is 1 on the pixels whose centre lies in the box, or in any
  of several boxes.

  Args:
    heat: `[h, w]` float, meant to be in 0..1, see `heat_maps.rescale`.
    box: `[4]` or `[M, 4]` in pixels of the map.

  Returns:
    A float, in 0..1 where the map is; 0 for an all-zero map and an empty box.
  """
  boxes = np.asarray(box).reshape(-1, 4)
  if len(boxes) == 1:
    inside = heat[box_slices(boxes[0], heat.shape)]
  else:
    mask = np.zeros(heat.shape, bool)
    for one in boxes:
      mask[box_slices(one, heat.shape)] = True
    inside = heat[mask]
  # BLAS sums float32 in lanes and blocks, which keeps the error near 1e-6.
  flat = np.ravel(heat)
  whole = float(flat @ flat) + inside.size
  return 2.0 * float(inside.sum(dtype=np.float64)) / whole if whole else 0.0
