import numpy as np
import pytest
from skimage.transform import resize

from chexjax.evaluation.measures.heat_maps import (
  MEANINGS,
  THRESHOLDS,
  check_map,
  cut_values,
  rescale,
  upsample,
)

RNG = np.random.default_rng(0)


def test_thresholds_are_the_papers():
  assert len(THRESHOLDS) == 41
  assert THRESHOLDS[0] == 0.6
  assert THRESHOLDS[7] == 0.67
  assert THRESHOLDS[-1] == 1.0


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (1, 1), (8, 1)])
def test_upsampling_is_bilinear_with_half_pixel_centres(shape):
  heat = RNG.random(shape).astype(np.float32)
  want = resize(heat, (12, 10), order=1, mode="edge", anti_aliasing=False)
  # float32 interpolation.
  np.testing.assert_allclose(upsample(heat, (12, 10)), want, atol=1e-6)


def test_upsampling_keeps_plateaus_and_leaves_larger_maps():
  flat = np.full((3, 3), 0.1, np.float32)
  assert (upsample(flat, (32, 32)) == flat[0, 0]).all()
  heat = RNG.random((8, 8)).astype(np.float32)
  assert upsample(heat, (4, 4)) is heat


def test_percentile_is_the_kth_smallest_value():
  heat = RNG.random((7, 9)).astype(np.float32)
  ordered = sorted(heat.ravel())
  for q in (0.0, 0.6, 0.73, 1.0):
    k = max(round(63 * q), 1)
    assert cut_values(heat, [q], "percentile")[0] == ordered[k - 1]
  assert (heat >= cut_values(heat, [1.0], "percentile")).sum() == 1


def test_absolute_cuts_are_the_thresholds():
  cuts = cut_values(np.zeros((2, 2), np.float32), [0.6, 1.0], "absolute")
  assert cuts.tolist() == np.float32([0.6, 1.0]).tolist()
  with pytest.raises(ValueError, match="percentile"):
    cut_values(np.zeros((2, 2)), [0.6], "relative")
  assert MEANINGS == ("percentile", "absolute")


def test_scales():
  heat = np.float32([[2, 4], [3, 6]])
  assert rescale(heat, "none") is heat
  np.testing.assert_allclose(rescale(heat, "minmax"), [[0, 0.5], [0.25, 1]])
  # The authors' slip: (x + min) / (max - min).
  np.testing.assert_allclose(rescale(heat, "released"), [[1, 1.5], [1.25, 2]])
  assert (rescale(np.full((2, 2), 3.0), "minmax") == 0).all()
  with pytest.raises(ValueError, match="minmax"):
    rescale(heat, "softmax")


@pytest.mark.parametrize(
  ("heat", "match"),
  [
    ([[0.0, np.nan]], "1 of 2 pixels"),
    ([[np.inf, 0.0]], "not finite"),
    ([0.0, 1.0], "shape"),
    (np.zeros((0, 3)), "shape"),
  ],
)
def test_a_bad_map_is_an_error_with_its_name(heat, match):
  with pytest.raises(ValueError, match=match) as error:
    check_map(heat, "00000001_000.png, Mass, sal")
  assert "00000001_000.png" in str(error.value)
