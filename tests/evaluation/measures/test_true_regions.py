"""Several true boxes of one finding, against masks drawn on a grid."""

import numpy as np
import pytest

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.map_score import score_map
from chexjax.evaluation.measures.true_regions import regions

RNG = np.random.default_rng(0)


def boxes(num, side=40):
  low = RNG.integers(0, side - 10, (num, 2))
  return np.concatenate([low, low + RNG.integers(1, 11, (num, 2))], 1) * 1.0


def mask(some, side=40):
  drawn = np.zeros((side, side), bool)
  for x1, y1, x2, y2 in np.asarray(some, int).reshape(-1, 4):
    drawn[y1:y2, x1:x2] = True
  return drawn


@pytest.mark.parametrize("num", [1, 2, 5, 12])
def test_a_union_is_cut_into_boxes_that_do_not_overlap(num):
  for _ in range(20):
    given = boxes(num)
    cells = overlap.disjoint(given)
    count = sum(mask(cell).astype(int) for cell in cells)
    np.testing.assert_array_equal(count, mask(given))
  # Edges between pixels are kept exactly.
  third = np.array([[0, 0, 1 / 3, 1], [0.2, 0, 0.7, 1]])
  assert overlap.area(overlap.disjoint(third)).sum() == pytest.approx(0.7)
  assert overlap.disjoint(third[:1]).tolist() == third[:1].tolist()


def test_the_measures_are_those_of_the_masks():
  given = [boxes(1), boxes(3), boxes(2), boxes(1)]
  true, predicted = regions(given), boxes(4 * 6).reshape(4, 6, 4)
  iou, any_iou = true.iou(predicted), true.any_iou(predicted)
  iobb, dice = true.iobb(predicted), true.dice(predicted)
  points = predicted.mean(-1, keepdims=True).repeat(2, -1)
  inside = true.contains(points)
  for p, mine in enumerate(given):
    truth = mask(mine)
    assert true.area()[p] == truth.sum()
    np.testing.assert_array_equal(true.of(p), mine)
    for c, box in enumerate(predicted[p]):
      guess = mask(box)
      both = (guess & truth).sum()
      assert iou[p, c] == pytest.approx(both / (guess | truth).sum())
      assert iobb[p, c] == pytest.approx(both / guess.sum())
      assert dice[p, c] == pytest.approx(2 * both / (guess.sum() + truth.sum()))
      assert any_iou[p, c] == overlap.iou(box, mine).max()
      assert inside[p, c] == overlap.contains(mine, points[p, c]).any()
  assert (any_iou[[1, 2]] != iou[[1, 2]]).any()
  np.testing.assert_array_equal(any_iou[[0, 3]], iou[[0, 3]])
  # Constant boxes, the same for every row.
  one = true.iou(predicted[:1])
  np.testing.assert_array_equal(one[1], true.iou(predicted[[0] * 4])[1])


def test_cdice_of_two_boxes_is_that_of_their_mask():
  heat = RNG.random((40, 40)).astype(np.float32)
  given = boxes(3)
  truth = mask(given)
  want = 2 * heat[truth].sum() / ((heat**2).sum() + truth.sum())
  assert overlap.cdice(heat, given) == pytest.approx(want, rel=1e-5)
  assert overlap.cdice(heat, given[:1]) == overlap.cdice(heat, given[0])


def test_a_map_with_both_places_is_right_for_either():
  frame, true = (64, 64), np.array([[4.0, 4, 20, 20], [40, 40, 56, 56]])
  heat = mask(true, 64).astype(np.float32)
  heat[45, 45] = 2  # the peak lies in the second box
  both = score_map(heat, true, frame, released="mix")
  assert both.cdice > 0.99
  # One component covers one of two equal boxes: half of the union.
  found = overlap.iou(both.boxes["largest"][-2], true)
  assert found.max() == pytest.approx(1)
  assert both.best_iou[-2] == pytest.approx(1)
  # The authors' `union` scores all boxes at once, each a pixel short.
  assert both.released.iou["union"][-2] == pytest.approx((15 / 16) ** 2)
  single = score_map(heat, true[0], frame, released="mix")
  assert single.released.iou["union"][-2] < 0.55
  with pytest.raises(ValueError, match="x1 < x2"):
    score_map(heat, [true[0], [5, 5, 5, 9]], frame)
