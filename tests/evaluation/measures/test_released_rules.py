"""The authors' rules against a slow implementation, written out literally."""

import numpy as np
import pytest
from scipy import ndimage

from chexjax.evaluation.measures import heat_maps as heats
from chexjax.evaluation.measures.released_rules import (
  released_boxes,
  released_cuts,
  score_released,
)


def flood(mask, near):
  """Components as lists of pixels, met row by row."""
  left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask))}
  found = []
  for seed in sorted(left):
    if seed not in left:
      continue
    left.remove(seed)
    todo, component = [seed], []
    while todo:
      y, x = todo.pop()
      component.append((y, x))
      for i, j in near:
        if (y + i, x + j) in left:
          left.remove((y + i, x + j))
          todo.append((y + i, x + j))
    found.append(component)
  return found


SIDES = [(-1, 0), (1, 0), (0, -1), (0, 1)]
AROUND = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def literal_contours(mask):
  """Boxes of outer contours, x2 and y2 the last pixel; OpenCV's order."""
  if not mask.any():
    return [np.zeros(4)]
  padded = np.pad(mask, 1)
  outside = set(flood(~padded, SIDES)[0])  # holds the corner (0, 0)
  boxes = []
  for component in flood(padded, AROUND):
    if any((y + i, x + j) in outside for y, x in component for i, j in SIDES):
      y, x = np.array(component).T - 1
      boxes.append(np.array([x.min(), y.min(), x.max(), y.max()], float))
  return boxes[::-1]


def literal_mask(heat, threshold, percentile):
  cut = np.float32(threshold)
  if percentile:
    cut = np.sort(heat.ravel())[round(heat.size * threshold) - 1]
  return heat >= cut if cut != heat.min() else heat > cut


def area(box):
  return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def shared(a, b):
  width = min(a[2], b[2]) - max(a[0], b[0])
  height = min(a[3], b[3]) - max(a[1], b[1])
  return max(width, 0) * max(height, 0)


def literal_split(heat, boxes):
  values = []
  for x1, y1, x2, y2 in np.array(boxes, int):
    inside = heat[y1:y2, x1:x2]
    values.append(inside.max() if inside.size else heat.min())
  return boxes[int(np.argmax(values))]


def literal_score(heat, true, threshold, percentile, scale):
  """IoU of split, IoU of union."""
  boxes = literal_contours(literal_mask(heat, threshold, percentile))
  kept = literal_split(heat, boxes) * scale
  both = shared(kept, true)
  split = both / (area(kept) + area(true) - both)
  boxes = [box * scale for box in boxes]
  both = sum(shared(box, true) for box in boxes)
  return split, both / (sum(map(area, boxes)) + area(true) - both)


def literal_cdice(heat, box, size, scale):
  if scale:
    heat = (heat + heat.min()) / (heat.max() - heat.min())
  large = heats.upsample(heat, (size, size))  # tested on its own
  mask = np.zeros((size, size))
  x1, y1, x2, y2 = np.array(box).astype(int)
  mask[y1:y2, x1:x2] = 1
  return (large * mask * 2).sum() / (large**2 + mask**2).sum()


def drawn(seed):
  rng = np.random.default_rng(seed)
  heat = rng.random(rng.integers(6, 20, 2))
  if seed % 3:
    heat = ndimage.gaussian_filter(heat, 1 + seed % 2)
    heat = (heat - heat.min()) / np.ptp(heat)
  if seed % 4 == 0:
    heat = np.round(heat * 4) / 4  # plateaus, ties, cuts at the minimum
  return heat.astype(np.float32)


RING = np.zeros((9, 9), np.float32)
RING[1:8, 1:8] = 0.8
RING[2:7, 2:7] = 0.1
RING[4, 4] = 1.0  # lies in the ring's hole: not seen


@pytest.mark.parametrize("name", ["sal", "mix"])
@pytest.mark.parametrize("case", [*range(24), "ring"])
def test_the_authors_rules(case, name):
  heat = RING if case == "ring" else drawn(case)
  size = 64
  rng = np.random.default_rng(1)
  low = rng.uniform(0, 30, 2)
  true = np.array([*low, *(low + rng.uniform(10, 30, 2))])
  scale = np.array([size / heat.shape[1], size / heat.shape[0]] * 2)
  got = score_released(heat, true, (size, size), name=name)
  for t, threshold in enumerate(heats.THRESHOLDS):
    want = literal_score(heat, true, threshold, name != "sal", scale)
    # float32 boxes against float64 sums.
    assert got.iou["split"][t] == pytest.approx(want[0], abs=1e-6)
    assert got.iou["union"][t] == pytest.approx(want[1], abs=1e-6)
  want = literal_cdice(heat, true, size, name != "sal")
  assert got.cdice == pytest.approx(want, abs=1e-5)  # float32 sums


def test_a_component_in_a_hole_is_not_seen_and_boxes_end_at_the_last_pixel():
  cuts = released_cuts(RING, [0.75], "absolute")
  (boxes,) = released_boxes(RING, cuts)
  assert boxes.tolist() == [[1, 1, 7, 7]]


def test_a_cut_at_the_lowest_value_leaves_it_out():
  heat = np.float32([[0, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 0, 0]])
  (boxes,) = released_boxes(heat, released_cuts(heat, [0.6], "percentile"))
  assert boxes.tolist() == [[1, 1, 1, 1]]


def test_overlaps_of_union_count_twice():
  heat = np.zeros((12, 12), np.float32)
  heat[1:9, 1] = heat[8, 1:9] = 1.0  # an L around ...
  heat[3:6, 4:7] = 0.95  # ... a square: their rectangles overlap
  true = np.array([0.0, 0.0, 12.0, 12.0])
  got = score_released(heat, true, (12, 12), name="sal", thresholds=[0.9])
  assert got.iou["union"][0] == pytest.approx((49 + 4) / 144)
  assert got.iobb["union"][0] == 1
  assert got.iou["split"][0] == pytest.approx(49 / 144)
