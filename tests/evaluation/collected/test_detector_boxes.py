import numpy as np
import pytest

from chexjax.evaluation import Detections
from chexjax.evaluation.collected.detector_boxes import (
  GIVEN,
  TrueRow,
  table_of_detections,
)

FRAME = (64, 64)


def test_boxes_given_by_a_model():
  true = [
    TrueRow("a", "1", "Mass", np.array([0.0, 0, 10, 10])),
    TrueRow("b", "2", "Mass", np.array([0.0, 0, 10, 10])),
  ]
  boxes = Detections(
    np.array(["a", "a", "a"]),
    np.array(["Mass", "Mass", "Nodule"]),
    np.array([[0.0, 0, 10, 5], [0, 0, 10, 10], [0, 0, 10, 10]]),
    np.array([0.9, 0.2, 1.0]),
  )
  table = table_of_detections(true, boxes, FRAME)
  assert table.iou("box", component=GIVEN).tolist() == [[0.5], [0]]
  assert table.best_iou["box"].tolist() == [[1], [0]]
  assert table.cdice["box"][0] == pytest.approx(2 * 50 / 150)
  assert table.pointing("box").tolist() == [True, False]
