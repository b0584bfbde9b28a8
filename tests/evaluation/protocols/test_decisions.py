import numpy as np

from chexjax import evaluation
from chexjax.evaluation.protocols import decisions

FINDINGS = ("Mass", "Nodule")


def test_youden_by_hand_and_ties_and_one_kind():
  truth = [0, 0, 1, 0, 1, 1]  # from 3 on as good as from 5 on: the higher
  assert decisions.youden_threshold(truth, [1, 2, 3, 4, 5, 6]) == 5
  assert decisions.youden_threshold(truth, [1, 1, 7, 1, 7, 7]) == 7
  assert decisions.youden_threshold([0, 0], [1, 2]) == np.inf


def test_a_patients_own_images_do_not_move_its_score_threshold(parts):
  images, _ = parts
  before = decisions.decide(images, seed=1).predicted
  own = images.patient == "4"
  scores = images.scores.copy()
  scores[~own] = scores[~own]
  labels = images.labels.copy()
  labels[own] = ~labels[own]  # would change the choice, were it seen
  after = decisions.decide(images._replace(labels=labels), seed=1).predicted
  np.testing.assert_array_equal(after[:, own], before[:, own])


def test_predicted_is_crossfit_where_predicted_and_0_elsewhere(parts):
  images, table = parts
  rule = decisions.decide(images, thresholds={"Mass": 0.8, "Nodule": 0.9})
  predicted = rule.of_rows(images, table)
  measures = evaluation.measure_table(table, FINDINGS, predicted=predicted)
  for f, cut in (("Mass", 0.8), ("Nodule", 0.9)):
    rows = table.finding == f
    k = FINDINGS.index(f)
    keep = images.scores[images.places(table.image[rows]), k] >= cut
    assert 0 < keep.sum() < rows.sum()
    by = measures["mix"]
    want = np.where(keep, by["crossfit"][f].iou, 0)
    np.testing.assert_array_equal(by["predicted"][f].iou, want)
    assert (by["predicted"][f].chosen == by["crossfit"][f].chosen).all()
