import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from chexjax.evaluation.protocols import bootstrap, ranking

RNG = np.random.default_rng(0)


def example(digits):
  labels = RNG.random(400) < 0.2
  scores = (labels + RNG.normal(size=400)).round(digits)
  patients = RNG.integers(0, 90, 400).astype(str)
  return labels, scores, patients


@pytest.mark.parametrize("digits", [0, 1, 8])  # 0 and 1: many ties
def test_every_draw_is_sklearns_weighted_figure(digits):
  labels, scores, patients = example(digits)
  draws = bootstrap.draw_patients(patients, draws=130)
  auc, precision = ranking.classification_draws(
    labels[:, None], scores[:, None], patients, draws
  )
  for b, weight in enumerate(draws.weights(patients)):
    given = {"sample_weight": weight}
    assert abs(auc[b, 0] - roc_auc_score(labels, scores, **given)) < 1e-12
    want = average_precision_score(labels, scores, **given)
    assert abs(precision[b, 0] - want) < 1e-12


def test_a_draw_of_everybody_once_is_sklearns_figure():
  labels, scores, patients = example(2)
  names = np.unique(patients)
  once = bootstrap.Draws(names, np.ones((1, names.size), np.int32))
  auc, precision = ranking.classification_draws(
    labels[:, None], scores[:, None], patients, once
  )
  assert abs(auc[0, 0] - roc_auc_score(labels, scores)) < 1e-12
  assert abs(precision[0, 0] - average_precision_score(labels, scores)) < 1e-12


def test_a_draw_without_negatives_is_undefined():
  auc, precision = ranking.ranking_draws(
    ranking.rank([1, 1], [0.1, 0.2]),
    np.ones((1, 2), int),
    np.arange(2),
  )
  assert np.isnan([*auc, *precision]).all()
