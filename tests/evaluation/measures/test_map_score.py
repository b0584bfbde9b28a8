import numpy as np

from chexjax import evaluation
from chexjax.evaluation.measures import overlap

FRAME = (64, 64)


def test_best_iou_is_that_of_the_best_component():
  heat = np.zeros((64, 64), np.float32)
  heat[0:30, 0:30] = 0.9  # the largest
  heat[40:50, 40:50] = 0.8
  rule = evaluation.MapRule("absolute", "none")
  score = evaluation.score_map(
    heat, [40, 40, 50, 50], FRAME, rule=rule, thresholds=[0.5, 0.85]
  )
  assert score.best_iou.tolist() == [1, 0]
  assert overlap.iou(score.boxes["largest"], [40, 40, 50, 50]).max() == 0
