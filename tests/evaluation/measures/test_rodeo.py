import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from chexjax.evaluation.measures import rodeo


def boxes(rng, num, size=100):
  low = rng.uniform(0, size / 2, (num, 2))
  return np.concatenate([low, low + rng.uniform(5, size / 2, (num, 2))], 1)


def example(seed, num_images=12, kinds=4):
  """Two sides of random boxes, some images without any."""
  rng = np.random.default_rng(seed)
  sides = []
  for most in (4, 3):
    count = rng.integers(0, most, num_images)
    image = np.repeat(np.arange(num_images), count)
    sides.append(
      (image, rng.integers(0, kinds, image.size), boxes(rng, image.size))
    )
  return sides, num_images, kinds


def score(sides, num_images, kinds, finding=None, weights=None):
  outcome = rodeo.pair(*sides, num_images, kinds)
  weights = np.ones((1, num_images)) if weights is None else weights
  return rodeo.scores(outcome, weights, finding=finding)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid")
@pytest.mark.parametrize("seed", range(20))
def test_the_authors_package_says_the_same(seed, monkeypatch):
  package = pytest.importorskip("rodeo", reason="rodeometric not installed")
  # scikit-learn's is a Python float by now, and the package clips it.
  monkeypatch.setattr(
    "rodeo.rodeo.matthews_corrcoef",
    lambda *sides: np.float64(
      matthews_corrcoef(*sides) if sides[0].size else np.nan
    ),
  )
  sides, num_images, kinds = example(seed)

  def theirs(side):
    image, finding, box = side
    wide = np.concatenate(
      [box[:, :2], box[:, 2:] - box[:, :2], finding[:, None]], 1
    )
    return [wide[image == i] for i in range(num_images)]

  meter = package.RoDeO([str(k) for k in range(kinds)], return_per_class=True)
  meter.add(theirs(sides[0]), theirs(sides[1]))
  want = meter.compute()
  names = dict(
    zip(
      rodeo.SCORES,
      ("total", "localization", "shape_matching", "classification"),
    )
  )
  for finding in (None, *range(kinds)):
    got = score(sides, num_images, kinds, finding)
    prefix = "RoDeO" if finding is None else f"RoDeO/{finding}"
    for ours, name in names.items():
      value = want[f"{prefix}/{name}"]
      if np.isnan(value):  # theirs where a finding has no pair
        assert got[ours][0] == 0 or np.isnan(got[ours][0])
      else:
        # Their harmonic mean is 3e-6 where one score is 0.
        assert got[ours][0] == pytest.approx(value, abs=4e-6)


def test_by_hand():
  true = (np.array([0]), np.array([0]), np.array([[0.0, 0, 10, 10]]))
  got = score((true, true), 1, 2)
  assert all(got[s][0] == pytest.approx(1, abs=1e-5) for s in rodeo.SCORES)
  # One width to the right, same shape, right finding.
  moved = (np.array([0]), np.array([0]), np.array([[10.0, 0, 20, 10]]))
  got = score((moved, true), 1, 2)
  assert got["localisation"][0] == pytest.approx(0.5)
  assert got["shape"][0] == 1
  assert got["classification"][0] == 1
  assert got["total"][0] == pytest.approx(3 / (2 + 1 + 1), abs=1e-5)
  # A surplus box halves everything.
  two = tuple(np.concatenate([a, b]) for a, b in zip(true, moved))
  got = score((two, true), 1, 2)
  assert got["localisation"][0] == got["shape"][0] == 0.5
  # Half as wide on the same corner, another finding.
  half = (np.array([0]), np.array([1]), np.array([[0.0, 0, 5, 10]]))
  got = score((half, true), 1, 2)
  assert got["shape"][0] == 0.5
  assert got["classification"][0] == got["total"][0] == 0


def test_weights_are_as_good_as_repeated_images():
  sides, num_images, kinds = example(3)
  rng = np.random.default_rng(0)
  weight = rng.integers(0, 4, num_images)
  outcome = rodeo.pair(*sides, num_images, kinds)
  got = rodeo.scores(outcome, weight[None])
  # Repeat the pairs and the lone boxes themselves.
  times = weight[outcome.image]
  repeated = outcome._replace(
    image=np.repeat(outcome.image, times),
    where=np.repeat(outcome.where, times),
    shape=np.repeat(outcome.shape, times),
    true=np.repeat(outcome.true, times),
    same=np.repeat(outcome.same, times),
    surplus=np.repeat(outcome.surplus, weight[outcome.surplus[:, 0]], 0),
    missed=np.repeat(outcome.missed, weight[outcome.missed[:, 0]], 0),
  )
  want = rodeo.scores(repeated, np.ones((1, num_images)))
  for name in rodeo.SCORES:
    assert got[name][0] == pytest.approx(want[name][0], abs=1e-12)


def test_no_box_at_all_is_undefined():
  none = (np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)))
  got = score((none, none), 3, 2)
  assert all(np.isnan(got[name][0]) for name in rodeo.SCORES)
