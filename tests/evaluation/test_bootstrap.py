import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from chexjax.evaluation.protocols import bootstrap

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
  auc, precision = bootstrap.classification_draws(
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
  auc, precision = bootstrap.classification_draws(
    labels[:, None], scores[:, None], patients, once
  )
  assert abs(auc[0, 0] - roc_auc_score(labels, scores)) < 1e-12
  assert abs(precision[0, 0] - average_precision_score(labels, scores)) < 1e-12


def test_patients_are_drawn_whole_and_the_same_whatever_the_order():
  _, _, patients = example(1)
  draws = bootstrap.draw_patients(patients, draws=20, seed=3)
  assert (draws.counts.sum(1) == np.unique(patients).size).all()
  weights = draws.weights(patients)
  for name in np.unique(patients):
    rows = weights[:, patients == name]
    assert (rows == rows[:, :1]).all()
  again = bootstrap.draw_patients(patients[::-1], draws=20, seed=3)
  np.testing.assert_array_equal(again.counts, draws.counts)
  other = bootstrap.draw_patients(patients, draws=20, seed=4)
  assert (other.counts != draws.counts).any()
  with pytest.raises(ValueError, match="stranger"):
    draws.weights(["stranger"])


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
  # Patients of 5 like rows: intervals of rows would cover far too rarely.
  hits = 0
  for seed in range(200):
    rng = np.random.default_rng(seed)
    values = np.repeat(rng.normal(size=60), 5)
    patients = np.repeat(np.arange(60), 5)
    draws = bootstrap.draw_patients(patients, draws=300, seed=seed)
    samples = bootstrap.mean_draws(values, draws.weights(patients))
    low, high = bootstrap.interval(samples)
    hits += low <= 0 <= high
  assert 0.89 <= hits / 200 <= 0.99  # 95 %, sd 1.5 %


def test_undefined_draws_are_left_out_and_none_at_all_is_none():
  weights = np.array([[1, 0], [0, 0], [0, 2]])
  samples = bootstrap.mean_draws([3.0, 5.0], weights)
  np.testing.assert_array_equal(samples, [3, np.nan, 5])
  assert bootstrap.interval([np.nan, 2.0, 2.0]) == [2, 2]
  assert bootstrap.interval([np.nan]) is None
  means = bootstrap.nan_mean([[1, np.nan], [np.nan, np.nan], [1, 3]])
  np.testing.assert_array_equal(means, [1, np.nan, 2])
  auc, precision = bootstrap.ranking_draws(
    bootstrap.rank([1, 1], [0.1, 0.2]), np.ones((1, 2), int), np.arange(2)
  )
  assert np.isnan([*auc, *precision]).all()


def test_no_patient():
  draws = bootstrap.draw_patients([], draws=3)
  assert draws.weights([]).shape == (3, 0)
