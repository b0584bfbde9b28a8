"""Baselines, the protocol predicted, MaxBoxAccV2, subgroups, comparison."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from chexjax import evaluation
from chexjax.evaluation.given_boxes import GIVEN, table_of_boxes
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.average_precision import Detections
from chexjax.evaluation.outputs import evaluation_file
from chexjax.evaluation.protocols import (
  baselines,
  bootstrap,
  comparison,
  decisions,
  figure_trees,
  measurement,
  subgroups,
  threshold_choice,
)

FINDINGS = ("Mass", "Nodule")
FRAME = (64, 64)


def scene(seed=0, num=30):
  """Images and a table of `num` cases of 10 patients; maps near the boxes."""
  rng, where = np.random.default_rng(seed), np.random.default_rng(9)
  collector = evaluation.LocalizationCollector(
    FRAME, maps={"mix": evaluation.MapRule("percentile", "minmax")}
  )
  names = np.array([f"{i}.png" for i in range(num)])
  patients = np.arange(num) // 3
  for i in range(num):
    x, y = where.integers(0, 8, 2) * 4
    heat = rng.random((16, 16)) * 0.5
    heat[y // 4 : y // 4 + 6, x // 4 : x // 4 + 7] += rng.random()
    collector.add(
      image=names[i],
      patient=patients[i],
      finding=FINDINGS[i % 2],
      boxes=[x, y, x + 28, y + 24],
      maps={"mix": heat},
    )
  labels = np.array([[i % 2 == 0, i % 2 == 1] for i in range(num)])
  images = evaluation.make_images(
    names, patients, labels, labels * 0.4 + rng.random((num, 2)), FINDINGS,
    view=np.where(np.arange(num) < 12, "AP", "PA"), sex=["F"] * num,
    age=np.where(np.arange(num) == 0, 414, 20 + np.arange(num)),
  )  # fmt: skip
  return images, collector.table()


@pytest.fixture(scope="module")
def parts():
  return scene()


def test_whole_image_and_centre_prior_by_hand(parts):
  true = np.array([[0.0, 0, 32, 64], [16, 16, 48, 48]])
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
    assert prior.iou[1, t] == pytest.approx(overlap.iou(box, true[1]), abs=0.05)
  assert prior.cdice[1] > prior.cdice[0]


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
  rule = decisions.decide_by(images, {"Mass": 0.8, "Nodule": 0.9})
  predicted = decisions.predicted_rows(images, table, rule)
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


def test_max_box_acc_v2_chooses_a_threshold_for_each_iou():
  best = np.array([[0.2, 0.6, 0.1], [0.4, 0.1, 0.8], [0.4, 0.2, 0.6]])
  given = threshold_choice.Candidates(iou=best, best_iou=best)
  found = threshold_choice.measure_candidates(given, [1, 2, 3])["oracle"]
  # .3: threshold 0 or 2 finds 2 of 3; .5: threshold 2 finds 2; .7: it finds 1.
  want = np.mean([2 / 3, 2 / 3, 1 / 3])
  assert found.means()[("max_box_acc_v2",)] == pytest.approx(want)


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


def test_boxes_given_by_a_model():
  true = [
    ("a", "1", "Mass", np.array([0.0, 0, 10, 10])),
    ("b", "2", "Mass", np.array([0.0, 0, 10, 10])),
  ]
  boxes = Detections(
    np.array(["a", "a", "a"]),
    np.array(["Mass", "Mass", "Nodule"]),
    np.array([[0.0, 0, 10, 5], [0, 0, 10, 10], [0, 0, 10, 10]]),
    np.array([0.9, 0.2, 1.0]),
  )
  table = table_of_boxes(true, boxes, FRAME)
  assert table.iou("box", GIVEN).tolist() == [[0.5], [0]]
  assert table.best_iou["box"].tolist() == [[1], [0]]
  assert table.cdice["box"][0] == pytest.approx(2 * 50 / 150)
  assert table.pointing("box").tolist() == [True, False]


def test_subgroups_are_the_figures_of_their_part(parts):
  images, table = parts
  measures = evaluation.measure_table(table, FINDINGS)
  draws = bootstrap.draw_patients(images.patient, draws=30)
  tree = figure_trees.subgroup_tree(images, table, measures, draws)
  group = tree["view"]["AP"]
  rows = images.view == "AP"
  want = roc_auc_score(images.labels[rows, 0], images.scores[rows, 0])
  assert group["auc"]["Mass"] == pytest.approx(want, abs=1e-12)
  assert group["images"] == 12
  assert group["boxes"] == {"Mass": 6, "Nodule": 6}
  iou = measures["mix"]["crossfit"]["Mass"].iou.mean(0)[:6]
  got = group["localization"]["mix"]["crossfit"]["iou"]["Mass"]
  assert got == pytest.approx(iou.mean())
  # 414 years is an error of the list, not an age.
  assert tree["age"]["unknown"]["images"] == 1
  assert tree["age"]["0-17"]["auc"]["mean"] is None
  reasons = {
    (u["finding"], u["where"]) for u in tree["age"]["0-17"]["undefined"]
  }
  assert ("Mass", "auc") in reasons
  assert ("Mass", "localization") in reasons
  sizes = subgroups.box_groups(table.true_box, FRAME)
  assert sizes["large"].all()  # 28 x 24 of 64 x 64 is 16 %
  assert np.sum(list(sizes.values())) == len(table.image)


def test_a_record_comes_back_as_it_was(parts, tmp_path):
  images, table = parts
  evaluation_file.save(tmp_path / "evaluation.npz", images, table)
  back = evaluation_file.load(tmp_path / "evaluation.npz")
  assert back.images.names == images.names
  np.testing.assert_array_equal(back.images.scores, images.scores)
  assert back.table.maps == table.maps
  assert back.table.frame == FRAME
  mine = figure_trees.value_tree(evaluation.measure_table(table, FINDINGS))
  theirs = figure_trees.value_tree(
    evaluation.measure_table(back.table, FINDINGS)
  )
  assert mine == theirs


def test_paired_intervals(parts, tmp_path):
  images, table = parts
  a = evaluation_file.Record(images, table, "largest")
  same = evaluation.measure_table(table, FINDINGS)
  tree = comparison.compare(a, a, same, same, draws=50)
  none = tree["localization"]["mix"]["crossfit"]["iou"]["mean"]
  assert none["difference"] == 0
  assert none["interval"] == [0, 0]
  assert tree["auc"]["mean"]["interval"] == [0, 0]
  other_images, other_table = scene(seed=5)
  b = evaluation_file.Record(other_images, other_table, "largest")
  other = evaluation.measure_table(other_table, FINDINGS)
  tree = comparison.compare(a, b, same, other, draws=200)
  found = tree["localization"]["mix"]["oracle"]["iou"]["Mass"]
  means = [m["mix"]["oracle"]["Mass"].means()[("iou",)] for m in (same, other)]
  assert found["difference"] == pytest.approx(means[1] - means[0])
  draws = bootstrap.draw_patients(images.patient, draws=200)
  rows = table.finding == "Mass"
  gap = other["mix"]["oracle"]["Mass"].iou - same["mix"]["oracle"]["Mass"].iou
  samples = bootstrap.mean_draws(gap[0], draws.weights(table.patient[rows]))
  # Paired: the interval of the rows' own differences.
  np.testing.assert_allclose(found["interval"], bootstrap.interval(samples))
  less = images._replace(labels=~images.labels)
  with pytest.raises(ValueError, match="labels: 60 differ"):
    comparison.compare(
      a, evaluation_file.Record(less, table, "largest"), same, same
    )


def test_intervals_hold_the_figure(parts):
  images, table = parts
  measures = measurement.measure_table(table, FINDINGS)
  draws = bootstrap.draw_patients(images.patient, draws=200)
  values = figure_trees.value_tree(measures)["mix"]["oracle"]["iou"]
  spans = figure_trees.interval_tree(measures, table, draws)["mix"]["oracle"][
    "iou"
  ]
  for name in (*FINDINGS, "mean"):
    low, high = spans[name]
    assert low < values[name] < high
