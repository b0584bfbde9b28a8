import numpy as np
import pytest

from chexjax.evaluation.protocols.figure_trees import differences
from chexjax.evaluation.protocols.significance import bootstrap_p, holm


def test_p_by_hand():
  draws = np.array([-1.0] * 3 + [1.0] * 96)
  assert bootstrap_p(draws) == pytest.approx(2 * 4 / 100)
  assert bootstrap_p(-draws) == bootstrap_p(draws)
  assert bootstrap_p(np.ones(99)) == pytest.approx(2 / 100)  # never 0
  assert bootstrap_p(np.zeros(9)) == 1
  assert bootstrap_p([np.nan, np.nan]) is None
  assert bootstrap_p([*draws, np.nan]) == bootstrap_p(draws)


def test_holm_by_hand():
  p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "e": None}
  # 0.005 <= 0.05/4, 0.01 <= 0.05/3, 0.03 > 0.05/2: there it ends.
  assert holm(p) == {"a": True, "b": False, "c": False, "d": True, "e": None}
  assert holm({"b": 0.04}) == {"b": True}


def test_a_difference_that_stands_alone_may_not_stand_among_many():
  """The interval of every finding excludes 0; Holm leaves none."""
  rng = np.random.default_rng(0)
  names = [f"F{k}" for k in range(10)]
  samples = {n: rng.normal(2.2, 1, 4000) for n in names}
  values = dict.fromkeys([*names, "mean"], 0.0)
  nothing = {n: np.zeros(4000) for n in names}
  found = differences(values, values, nothing, samples)
  assert all(found[n]["interval"][0] > 0 for n in names)
  assert not any(found[n]["apart"] for n in names)
  assert found["mean"]["apart"] is True
  (alone,) = [
    differences({n: 0.0}, {n: 0.0}, {n: nothing[n]}, {n: samples[n]})[n]
    for n in names[:1]
  ]
  assert alone["apart"] is True


def test_a_finding_of_few_patients_is_never_beyond_chance():
  """Its draws are of the same few; the others' correction does not see it."""
  rng = np.random.default_rng(0)
  a = {"many": 0.5, "few": 0.5, "mean": 0.5}
  b = {"many": 0.6, "few": 0.9, "mean": 0.6}
  low = {name: rng.normal(0.5, 0.01, 1000) for name in ("many", "few")}
  high = {"many": low["many"] + 0.1, "few": low["few"] + 0.4}
  found = differences(a, b, low, high, counted=("many",))
  assert found["many"]["apart"] is True
  assert found["mean"]["apart"] is True
  assert found["few"]["apart"] is None
  assert found["few"]["p"] < 0.05
  assert differences(a, b, low, high)["few"]["apart"] is True
