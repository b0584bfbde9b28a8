"""Fixed cuts and all regions: found boxes and false ones."""

import numpy as np
import pytest

from chexjax.evaluation.measures.wang_rule import score_wang, wang_boxes
from chexjax.evaluation.protocols.wang_tree import wang_tree


def two_hills():
  """A high and a low plateau that touch no other; the rest is flat."""
  heat = np.zeros((20, 20), np.float32)
  heat[2:6, 2:6] = 255
  heat[10:14, 10:18] = 100
  return heat


def test_every_region_of_both_cuts_is_a_box():
  boxes = wang_boxes(two_hills() * 3 + 7)  # scaled by its own extremes
  want = [[2, 2, 6, 6], [10, 10, 18, 14], [2, 2, 6, 6]]
  np.testing.assert_array_equal(boxes, want)


def test_corners_connect_and_a_flat_map_has_no_box():
  heat = np.zeros((4, 4), np.float32)
  heat[0, 0] = heat[1, 1] = 1
  assert np.unique(wang_boxes(heat), axis=0).tolist() == [[0, 0, 2, 2]]
  assert wang_boxes(np.full((4, 4), 3.0, np.float32)).shape == (0, 4)


def test_one_box_finds_and_the_others_are_false():
  score = score_wang(two_hills(), [[10, 10, 18, 18]])
  # The low hill has half of the true box, and IoBB 1.
  np.testing.assert_array_equal(score.found["iou"], [True] * 4 + [False] * 3)
  np.testing.assert_array_equal(score.false["iou"], [2] * 4 + [3] * 3)
  assert score.found["iobb"].all()
  np.testing.assert_array_equal(score.false["iobb"], 2)
  none = score_wang(np.zeros((8, 8), np.float32), [[1, 1, 3, 3]])
  assert not none.found["iou"].any()
  assert not none.false["iou"].any()


def test_the_tree_averages_pairs_of_a_finding(random_table):
  table = random_table
  tree = wang_tree(table, ["Mass", "Nodule"], counted={"Mass"})
  of = tree["sal"]["iou"]["0.1"]
  rows = table.finding == "Mass"
  want = table.wang["sal"]["iou"]["found"][rows, 0].mean()
  assert of["found"]["Mass"] == pytest.approx(want)
  assert of["found"]["mean"] == of["found"]["Mass"]
  assert of["false_boxes"]["Nodule"] >= 0


@pytest.fixture(scope="module")
def random_table():
  from chexjax.evaluation import LocalizationCollector, MapRule

  collector = LocalizationCollector((32, 32), maps={"sal": MapRule()})
  rng = np.random.default_rng(0)
  for number in range(8):
    x, y = rng.integers(0, 16, 2)
    collector.add(
      image=f"{number}.png",
      patient=number,
      finding=("Mass", "Nodule")[number % 2],
      boxes=[x, y, x + 10, y + 12],
      maps={"sal": rng.random((8, 8))},
    )
  return collector.table()
