import io
import json
from collections import ChainMap

import numpy as np
import pytest
from sklearn.metrics import roc_curve
from test_page import FINDINGS, make_run

from chexjax import evaluation
from chexjax.evaluation.protocols.ranking import rank
from chexjax.report import curves
from chexjax.report.build import draw_figures, training_caption


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
    (curves.roc_figure, (record.images, run.results)),
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
  assert size_of(curves.roc_figure, images._replace(labels=labels), results)


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
  few = size_of(curves.training_figure, course())
  assert few > 5000
  more = size_of(curves.training_figure, course(**VALIDATED, **FOUND))
  assert more > 1.5 * few


def test_training_panels_hold_what_has_a_value():
  panels = curves.training_lines(course(**VALIDATED, **FOUND))
  assert list(panels["loss"]) == [1, 3]
  assert panels["AUC"][1] == {"auc": [(1, 0.5), (3, 0.5)]}
  assert panels["AUC"][3]["crop_auc"] == [(4, 0.7)]
  assert "learning rate" not in panels
  shown = {key for kind in list(panels)[2:] for key in panels[kind][3]}
  assert shown == ({*VALIDATED} - {"auc", "crop_auc"}) | {*FOUND}
  # Stage 1 picks no proposals.
  assert all(list(panels[kind]) == [3] for kind in list(panels)[2:])
  assert list(curves.training_lines(course())) == ["loss", "AUC"]


def test_absent_ious_are_explained():
  def caption(*validated):
    return training_caption(course(**dict(ChainMap(*validated))))

  assert "no boxes" in caption(VALIDATED)
  unknown = dict.fromkeys(FOUND)
  assert "no boxes" in caption(VALIDATED, unknown)
  assert caption(VALIDATED, FOUND) == "Training"
  # Stage 1, and runs of before these values were written.
  assert caption({}) == "Training"


def test_an_untrained_head_is_dotted_in_the_trained_ones_colour():
  for name in ("det", "mix"):
    control = evaluation.untrained_name(name)
    trained, untrained = curves.style_of(name), curves.style_of(control)
    assert trained["color"] == untrained["color"]
    assert (trained["linestyle"], untrained["linestyle"]) == ("-", ":")
    assert untrained["label"] == f"{trained['label']}, untrained head"


def test_figures_of_a_run_with_an_untrained_head(tmp_path):
  names = ("sal", "det", "mix", "det_untrained", "mix_untrained")
  made = make_run(tmp_path / "run", "run", names_of_maps=names)
  (tmp_path / "run" / "metrics.jsonl").write_text(
    "\n".join(json.dumps(row) for row in course(**VALIDATED))
  )
  figures = draw_figures(made, tmp_path / "run")
  captions = [caption for caption, _ in figures]
  assert "Mass: best, median and worst case" in captions
  assert "no boxes" in captions[-1]


def test_roc_points_are_sklearns():
  rng = np.random.default_rng(0)
  truth = rng.random(300) < 0.3
  score = truth + rng.normal(size=300)
  grid = np.linspace(0, 1, 21)
  weight = rng.integers(0, 3, 300)
  got = curves.roc_points(
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
