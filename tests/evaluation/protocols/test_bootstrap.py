import numpy as np
import pytest

from chexjax.evaluation.protocols import bootstrap

RNG = np.random.default_rng(0)


def test_patients_are_drawn_whole_and_the_same_whatever_the_order():
  patients = RNG.integers(0, 90, 400).astype(str)
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


def test_no_patient():
  draws = bootstrap.draw_patients([], draws=3)
  assert draws.weights([]).shape == (3, 0)
