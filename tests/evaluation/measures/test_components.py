import numpy as np
import pytest
from scipy import ndimage

from chexjax.evaluation.measures.components import (
  RULES,
  component_box,
  component_boxes,
)
from chexjax.evaluation.measures.heat_maps import THRESHOLDS, cut_values


def literal_components(mask):
  """Flood fill, pixel after pixel, row by row; 8 neighbours."""
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
      for near in [(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
        if near in left:
          left.remove(near)
          todo.append(near)
    found.append(component)
  return found


def literal_box(heat, cut, rule):
  found = literal_components(heat >= cut)
  if not found:
    return np.zeros(4)
  peak = np.unravel_index(heat.argmax(), heat.shape)
  chosen = {
    "largest": max(found, key=len),  # the first of the largest
    "most_active": next(c for c in found if peak in c),
  }[rule]
  y, x = np.array(chosen).T
  return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])


def random_map(seed):
  rng = np.random.default_rng(seed)
  shape = rng.integers(1, 20, 2)
  heat = rng.random(shape)
  if seed % 3 == 0:
    heat = ndimage.gaussian_filter(heat, 1.5)
  if seed % 2:
    heat = np.round(heat * rng.integers(1, 5)) / 4  # plateaus and ties
  return heat.astype(np.float32)


@pytest.mark.parametrize("seed", range(40))
def test_boxes_are_those_of_a_flood_fill(seed):
  heat = random_map(seed)
  for meaning in ("percentile", "absolute"):
    cuts = cut_values(heat, [0.0, 0.3, *THRESHOLDS[::5]], meaning)
    boxes = component_boxes(heat, cuts)
    for rule in RULES:
      want = [literal_box(heat, cut, rule) for cut in cuts]
      np.testing.assert_array_equal(boxes[rule], want)
      for cut, box in zip(cuts, want):
        one = component_box(heat, cut, rule=rule)
        np.testing.assert_array_equal(np.zeros(4) if one is None else one, box)


def test_boxes_are_those_of_scipys_label_on_a_large_map():
  rng = np.random.default_rng(0)
  heat = ndimage.gaussian_filter(rng.normal(size=(150, 200)), 3)
  heat = heat.astype(np.float32)
  cuts = cut_values(heat, THRESHOLDS, "percentile")
  boxes = component_boxes(heat, cuts)
  for t, cut in enumerate(cuts):
    label, _ = ndimage.label(heat >= cut, np.ones((3, 3)))
    parts = ndimage.find_objects(label)
    size = np.bincount(label.ravel())[1:]
    peak = label.ravel()[heat.argmax()] - 1
    for rule, i in (("largest", size.argmax()), ("most_active", peak)):
      y, x = parts[i]
      assert boxes[rule][t].tolist() == [x.start, y.start, x.stop, y.stop]


def test_corners_connect_and_ties_go_to_the_first():
  heat = np.float32([[1, 0, 0, 0, 0], [0, 1, 0, 3, 2], [0, 0, 0, 0, 0]])
  assert component_box(heat, 1, rule="largest").tolist() == [0, 0, 2, 2]
  assert component_box(heat, 1, rule="most_active").tolist() == [3, 1, 5, 2]
  assert component_box(heat, 4, rule="most_active") is None
  assert component_box(heat, 0).tolist() == [0, 0, 5, 3]
  with pytest.raises(ValueError, match="most_active"):
    component_box(heat, 1, rule="smallest")


def test_row_ends_do_not_touch_the_next_rows_start():
  heat = np.float32([[0, 0, 1], [0, 0, 0], [1, 0, 0]])
  assert component_box(heat, 1).tolist() == [2, 0, 3, 1]
  heat = np.float32([[0, 0, 1], [1, 0, 0]])
  assert component_box(heat, 1).tolist() == [2, 0, 3, 1]


def test_a_flat_map_is_one_component_under_percentiles():
  heat = np.full((6, 9), 0.25, np.float32)
  boxes = component_boxes(heat, cut_values(heat, THRESHOLDS, "percentile"))
  assert (boxes["largest"] == [0, 0, 9, 6]).all()
  boxes = component_boxes(heat, cut_values(heat, THRESHOLDS, "absolute"))
  assert (boxes["largest"] == 0).all()
