import numpy as np
import pytest

from chexjax.evaluation.protocols.candidates import (
  Candidates,
  measure_candidates,
)


def test_max_box_acc_v2_chooses_a_threshold_for_each_iou():
  best = np.array([[0.2, 0.6, 0.1], [0.4, 0.1, 0.8], [0.4, 0.2, 0.6]])
  given = Candidates(iou=best, best_iou=best)
  found = measure_candidates(given, [1, 2, 3])["oracle"]
  # .3: threshold 0 or 2 finds 2 of 3; .5: threshold 2 finds 2; .7: it finds 1.
  want = np.mean([2 / 3, 2 / 3, 1 / 3])
  assert found.means()[("max_box_acc_v2",)] == pytest.approx(want)
