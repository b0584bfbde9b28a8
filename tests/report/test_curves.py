import io
import json
from collections import ChainMap

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve
from test_page import FINDINGS, make_run

from chexjax import evaluation
from chexjax.evaluation.protocols.ranking import rank
from chexjax.report import curves, score_curves, training_curves
from chexjax.report.drawn_figures import draw_figures, training_caption


@pytest.fixture(scope="module")
def run(tmp_path_factory):
  return make_run(tmp_path_factory.mktemp("a") / "run", "run")


def size_of(draw, *args):
  out = io.BytesIO()
  draw(out, *args)
  assert out.getvalue().startswith(b"\x89PNG")
  return len(out.getvalue())


def test_every_figure_is_drawn(run):
  record = run.record
  for draw, args in (
    (score_curves.roc_figure, (record.images, run.results)),
    (score_curves.pr_figure, (record.images, run.results)),
    (score_curves.calibration_figure, (record.images, run.results)),
    (curves.iou_figure, (run.measures,)),
    (curves.t_iou_figure, (run.measures,)),
    (curves.threshold_figure, (record.table, FINDINGS, "largest")),
  ):
    assert size_of(draw, *args) > 5000


def test_an_undefined_auc_is_said_not_drawn(run):
  images = run.record.images
  labels = images.labels.copy()
  labels[:, 0] = False
  results = {"auc": {"Mass": None, "Nodule": 0.5}}
  assert size_of(
    score_curves.roc_figure, images._replace(labels=labels), results
  )


VALIDATED = {
  "auc": 0.8, "crop_auc": 0.7, "score_spread": 0.1, "score_entropy": 5.0,
  "picked_small": 0.2, "picked_middle": 0.3, "picked_large": 0.5,
  "box_growth": 0.1,
}  # fmt: skip
FOUND = {
  "iou_picked": 0.3, "iou_picked_unrefined": 0.2,
  "iou_best": 0.6, "iou_best_unrefined": 0.5,
}  # fmt: skip


def course(**validated):
  """Rows of stages 1 and 3; only the last is validated with `validated`."""
  rows = [
    {"stage": s, "step": i, "loss": 1 / i, "auc": 0.5 if i % 2 else None}
    for s in (1, 3)
    for i in (1, 2, 3)
  ]
  return [*rows, {"stage": 3, "step": 4, "loss": 0.2, **validated}]


def test_training_curves():
  few = size_of(training_curves.training_figure, course())
  assert few > 5000
  more = size_of(training_curves.training_figure, course(**VALIDATED, **FOUND))
  assert more > 1.5 * few


def test_training_panels_hold_what_has_a_value():
  panels = training_curves.training_lines(course(**VALIDATED, **FOUND))
  first, auc, *later = panels
  assert list(panels[first]) == [1, 3]
  assert panels[auc][1] == {"auc": [(1, 0.5), (3, 0.5)]}
  assert panels[auc][3]["crop_auc"] == [(4, 0.7)]
  assert "learning rate" not in panels
  shown = {key for kind in later for key in panels[kind][3]}
  assert shown == ({*VALIDATED} - {"auc", "crop_auc"}) | {*FOUND}
  # Stage 1 picks no proposals.
  assert all(list(panels[kind]) == [3] for kind in later)
  assert list(training_curves.training_lines(course())) == [first, auc]
  assert all("validation" in kind for kind in (auc, *later))


def test_a_line_that_equals_another_is_left_out():
  rows = [{"stage": 1, "step": i, "loss": i, "loss_cls": i} for i in (1, 2)]
  more = [{"stage": 3, "step": i, "loss": 2, "loss_cls": 1} for i in (1, 2)]
  (panel,) = training_curves.training_lines(rows + more).values()
  assert [list(panel[stage]) for stage in (1, 3)] == [
    ["loss"],
    ["loss", "loss_cls"],
  ]


def test_absent_ious_are_explained():
  def caption(*validated):
    return training_caption(course(**dict(ChainMap(*validated))))

  assert "no boxes" in caption(VALIDATED)
  unknown = dict.fromkeys(FOUND)
  assert "no boxes" in caption(VALIDATED, unknown)
  assert caption(VALIDATED, FOUND) == "Training"
  # Stage 1, and runs of before these values were written.
  assert caption({}) == "Training"


def test_dashes_as_well_as_hue_tell_lines_apart():
  names = [
    "sal", "det", "mix", "image_blind",
    *(evaluation.untrained_name(name) for name in ("det", "mix")),
  ]  # fmt: skip
  styles = {name: curves.style_of(name) for name in names}
  assert len({str(of["linestyle"]) for of in styles.values()}) == len(names)
  for name in ("det", "mix"):
    untrained = styles[evaluation.untrained_name(name)]
    assert styles[name]["color"] == untrained["color"]
    assert untrained["label"] == f"{styles[name]['label']}, untrained head"
  others = [curves.style_of(n)["color"] for n in ("grad_cam", "cam", "sal")]
  assert len(set(others)) == 3


def test_figures_of_a_run_with_an_untrained_head(tmp_path):
  names = ("sal", "det", "mix", "det_untrained", "mix_untrained")
  made = make_run(tmp_path / "run", "run", names_of_maps=names)
  (tmp_path / "run" / "metrics.jsonl").write_text(
    "\n".join(json.dumps(row) for row in course(**VALIDATED))
  )
  figures = draw_figures(made, tmp_path / "run")
  captions = [figure.caption for figure in figures]
  assert "Mass: best, median and worst case" in captions
  assert "no boxes" in captions[-1]
  assert list(dict.fromkeys(figure.group for figure in figures)) == [
    "Classification",
    "Localisation",
    "Best, median and worst cases",
    "Training",
  ]
  assert [c.partition(" ")[0] for c in captions[:3]] == [
    "ROC",
    "Precision",
    "Calibration:",
  ]
  assert all(figure.width > 300 and figure.height > 200 for figure in figures)


def test_roc_points_are_sklearns():
  rng = np.random.default_rng(0)
  truth = rng.random(300) < 0.3
  score = truth + rng.normal(size=300)
  grid = np.linspace(0, 1, 21)
  weight = rng.integers(0, 3, 300)
  got = score_curves.roc_points(
    rank(truth, score), weight[None], np.arange(300), grid
  )[0]
  fpr, tpr, _ = roc_curve(
    truth, score, sample_weight=weight, drop_intermediate=False
  )
  # At a positive's score the curve rises: ours may be on the step's edge.
  low = np.interp(grid, fpr, tpr) - got
  assert np.abs(low).max() < 0.03
  assert got[0] >= 0
  assert got[-1] == 1


def test_pr_points_are_sklearns():
  rng = np.random.default_rng(0)
  truth = rng.random(300) < 0.3
  score = np.round(truth + rng.normal(size=300), 1)  # with ties
  weight = rng.integers(0, 3, 300)
  precision, recall, _ = precision_recall_curve(
    truth, score, sample_weight=weight
  )
  grid = np.linspace(0.05, 1, 20)
  got = score_curves.pr_points(
    rank(truth, score), weight[None], np.arange(300), grid
  )[0]
  # The point with the highest score that still reaches the recall.
  want = [precision[np.flatnonzero(recall >= r - 1e-9)[-1]] for r in grid]
  np.testing.assert_allclose(got, want, rtol=1e-12)


def test_calibration_points_are_bins_of_equal_size():
  score = np.arange(100) / 100
  truth = score >= 0.5
  mean, share = score_curves.calibration_points(
    score, truth, np.ones((1, 100), int)
  )
  np.testing.assert_allclose(mean, np.arange(10) / 10 + 0.045, atol=1e-9)
  np.testing.assert_allclose(share[0], [0] * 5 + [1] * 5)
  # One score for all is one bin.
  mean, share = score_curves.calibration_points(
    np.full(100, 0.5), truth, np.ones((1, 100), int)
  )
  assert (mean, share) == ([0.5], [[0.5]])


def test_scores_that_are_no_probabilities_are_said(run):
  logits = run.record.images._replace(scores=run.record.images.scores * 9)
  assert size_of(score_curves.calibration_figure, logits, run.results) > 5000
