import io

import numpy as np
import pytest
from sklearn.metrics import roc_curve
from test_page import FINDINGS, make_run

from chexjax.evaluation import bootstrap
from chexjax.report import curves


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


def test_training_curves():
  rows = [
    {"stage": s, "step": i, "loss": 1 / i, "auc": 0.5 if i % 2 else None}
    for s in (1, 3)
    for i in (1, 2, 3)
  ]
  assert size_of(curves.training_figure, rows) > 5000


def test_roc_points_are_sklearns():
  rng = np.random.default_rng(0)
  truth = rng.random(300) < 0.3
  score = truth + rng.normal(size=300)
  grid = np.linspace(0, 1, 21)
  weight = rng.integers(0, 3, 300)
  got = curves.roc_points(
    bootstrap.rank(truth, score), weight[None], np.arange(300), grid
  )[0]
  fpr, tpr, _ = roc_curve(
    truth, score, sample_weight=weight, drop_intermediate=False
  )
  # At a positive's score the curve rises: ours may be on the step's edge.
  low = np.interp(grid, fpr, tpr) - got
  assert np.abs(low).max() < 0.03
  assert got[0] >= 0
  assert got[-1] == 1
