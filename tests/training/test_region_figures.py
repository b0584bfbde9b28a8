"""What is logged of a detection module's regions."""

import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops
from chexjax.training.region_figures import region_figures

PROPOSALS = ops.make_proposals(64)


def figures(scores, boxes=PROPOSALS, true=(0.0, 0, 8, 8)):
  found = region_figures(
    jnp.asarray(scores),
    jnp.asarray(boxes),
    jnp.array(true),
    height=64,
    width=64,
  )
  return {name: float(value) for name, value in found.items()}


def test_equal_scores_have_the_largest_entropy_and_no_spread():
  found = figures(np.zeros(395, np.float32))
  assert found["score_entropy"] == pytest.approx(np.log(395), abs=1e-4)
  assert found["score_spread"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
  ("picked", "size"), [(0, "small"), (289, "middle"), (394, "large")]
)
def test_the_size_of_the_best_scored_proposal_is_named(picked, size):
  scores = np.zeros(395, np.float32)
  scores[picked] = 20
  found = figures(scores)
  assert found["score_entropy"] < 0.01
  shares = {n: found[f"picked_{n}"] for n in ("small", "middle", "large")}
  assert shares == {n: float(n == size) for n in shares}


def test_refinement_is_told_from_the_proposals():
  """A true box of a fixed place; the best-scored box is moved onto it."""
  true = np.array([20.0, 20, 30, 28], np.float32)
  picked = 5
  scores = np.zeros(395, np.float32)
  scores[picked] = 1
  boxes = PROPOSALS.copy()
  boxes[picked] = true
  found = figures(scores, boxes, true)
  assert found["iou_picked"] == pytest.approx(1)
  assert found["iou_best"] == pytest.approx(1)
  assert found["iou_picked_unrefined"] < 0.2
  assert found["iou_best_unrefined"] < 0.9
  before = np.prod(PROPOSALS[picked, 2:] - PROPOSALS[picked, :2])
  assert found["box_growth"] == pytest.approx(np.log(80 / before), abs=1e-5)
