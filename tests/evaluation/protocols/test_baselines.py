import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.true_regions import regions
from chexjax.evaluation.protocols import baselines

FRAME = (64, 64)


def test_whole_image_and_centre_prior_by_hand(parts):
  boxes = np.array([[0.0, 0, 32, 64], [16, 16, 48, 48]])
  true = regions([box[None] for box in boxes])
  whole = baselines.whole_image(true, FRAME)
  assert whole.iou[:, 0].tolist() == [0.5, 0.25]
  assert whole.iobb[:, 0].tolist() == [0.5, 0.25]
  assert whole.pointing[:, 0].tolist() == [False, True]  # x2 is exclusive
  prior = baselines.centre_prior(true, FRAME)
  # A centred disc of 1 - q of the area in its square: 2 sqrt((1 - q) / pi).
  for q in (0.6, 0.75, 0.9):
    side = 2 * np.sqrt((1 - q) / np.pi) * 64
    box = [32 - side / 2] * 2 + [32 + side / 2] * 2
    t = evaluation.THRESHOLDS.index(q)
    # A map of 128 cells: edges on half pixels of the frame.
    assert prior.iou[1, t] == pytest.approx(
      overlap.iou(box, boxes[1]), abs=0.05
    )
  assert prior.cdice[1] > prior.cdice[0]
