"""Mirrored and moved films, and placed maps."""

import cv2
import numpy as np
import pytest

from chexjax.inference import placing, views
from chexjax.types import MapOptions


@pytest.fixture
def films():
  rng = np.random.default_rng(0)
  return rng.integers(0, 256, (2, 32, 32, 1), np.uint8)


def test_the_film_as_it_is_is_one_view():
  assert views.views_of(MapOptions()) == [views.View()]


def test_five_places_mirrored_too_are_ten_views():
  found = views.views_of(MapOptions(flip=True, shift=4))
  assert len(set(found)) == 10
  assert found[0] == views.View()


@pytest.mark.parametrize("view", views.views_of(MapOptions(True, 4)))
def test_a_map_comes_back_to_where_the_film_has_it(view, films):
  # What a network that looks at each square of 4 x 4 pixels would find.
  found = view.of(films)[..., 0].reshape(2, 8, 4, 8, 4).mean((2, 4))
  want = films[..., 0].reshape(2, 8, 4, 8, 4).mean((2, 4))
  back = view.back(found, 32)
  # The outermost squares are not seen where the film is moved out.
  np.testing.assert_array_equal(back[:, 1:-1, 1:-1], want[:, 1:-1, 1:-1])


def test_logits_are_those_of_the_mean_probability():
  logits = [np.array([0.0, 4.0]), np.array([0.0, -4.0])]
  np.testing.assert_allclose(views.mean_logits(logits), [0, 0], atol=1e-6)
  one = np.float32([1.25])
  assert views.mean_logits([one]) is one


def test_smaller_maps_are_enlarged_to_the_first_ones():
  large, small = np.full((1, 4, 4), 2.0), np.array([[[0.0, 4.0], [0.0, 4.0]]])
  found = views.mean_maps([{"sal": large}, {"sal": small}])["sal"]
  row = (2 + np.array([0.0, 1.0, 3.0, 4.0])) / 2
  np.testing.assert_allclose(found, np.tile(row, (1, 4, 1)))


def test_films_are_reduced_by_means_of_blocks():
  film = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
  found = views.reduced(film, 2)
  # 2.5, 4.5, 10.5 and 12.5, rounded half to even.
  assert found.dtype == np.uint8
  assert found[..., 0].tolist() == [[[2, 4], [10, 12]]]


def test_maps_are_averaged_by_name():
  found = views.mean_maps([{"sal": np.zeros(2)}, {"sal": np.ones(2)}])
  np.testing.assert_array_equal(found["sal"], [0.5, 0.5])


class Films:
  """Six films; the first finding is on the left, the second nowhere."""

  def __len__(self):
    return 6

  def annotation(self, index):
    labels = np.array([index < 3, 0], np.float32)
    return {"labels": labels, "file_name": b"%d" % index}

  def __getitem__(self, index):
    image = np.zeros((16, 16, 1), np.uint8)
    image[:, : 8 if index < 3 else 16] = 40 * (index + 1)
    return self.annotation(index) | {"image": image}


def saliency(images):
  """Looks at the grey values; the second finding's map is the same."""
  heat = images[..., 0].astype(np.float32)
  return np.stack([heat, heat], 1)


def test_a_prior_is_the_mean_over_the_films_that_have_the_finding():
  prior = placing.measure_prior(saliency, Films(), batch_size=2)
  assert prior.shape == (2, 16, 16)
  # Bright and faint films count alike, and those without it not at all.
  np.testing.assert_allclose(prior[0][:, :8], 1, atol=1e-5)
  np.testing.assert_allclose(prior[0][:, 8:], -1, atol=1e-5)
  assert not prior[1].any()


def test_a_placed_map_goes_from_the_film_to_the_prior():
  film = np.zeros((1, 16, 16), np.float32)
  film[:, :, 8:] = 5
  prior = -placing.standardize(film)

  def placed(weight):
    options = MapOptions(prior=weight)
    return placing.place({"sal": film}, prior, options)["sal_placed"]

  np.testing.assert_allclose(placed(0.25), -prior / 2, atol=1e-6)
  np.testing.assert_allclose(placed(1.0), prior, atol=1e-6)
  found = placing.place({"sal": film}, prior, MapOptions(prior=0.5))
  assert set(found) == {"sal_placed", placing.PLACE}


def test_the_map_of_a_fresh_head_is_placed_under_a_name_that_says_so():
  assert placing.placed_name("mix") == "mix_placed"
  assert placing.placed_name("mix_untrained") == "mix_placed_untrained"


def test_smoothing_keeps_the_sum_and_spreads_a_point():
  film = np.zeros((1, 32, 32), np.float32)
  film[0, 16, 16] = 1
  found = placing.smooth(film, 0.1)
  assert found.sum() == pytest.approx(1, abs=1e-4)
  row = found[0, 16]
  spread = np.sqrt((row * (np.arange(32) - 16.0) ** 2).sum() / row.sum())
  # A deviation of a tenth of 32 pixels; the kernel is cut off at 3 of them.
  assert spread == pytest.approx(3.2, rel=0.05)


def test_no_region_of_a_grown_map_is_smaller_than_the_square():
  rng = np.random.default_rng(0)
  film = rng.normal(size=(2, 40, 40)).astype(np.float32)
  film[0, 20, 20] = 9  # A single cell above all others.
  options = MapOptions(least_size=0.2)
  found = placing.place({"sal": film}, None, options)["sal_placed"]
  for heat, threshold in ((found[0], 3.0), (found[1], 2.5)):
    count, _, stats, _ = cv2.connectedComponentsWithStats(
      (heat > threshold).astype(np.uint8), connectivity=8
    )
    assert count > 1
    for left, top, width, height, _ in stats[1:]:
      inside = min(left, top) > 0 and max(left + width, top + height) < 40
      assert not inside or min(width, height) >= 8
  lit = found[0] > 5
  assert lit.any(0).sum() == lit.any(1).sum() == 8


def test_options_out_of_range_are_named():
  faults = MapOptions(shift=3, smooth=-1, least_size=1, prior=2).faults()
  named = [text.split()[0] for text in faults]
  assert named == ["shift", "smooth", "least_size", "prior", "centre"]
  assert MapOptions(prior=0.6, centre=0.5).faults()
  assert not MapOptions(prior=0.6, centre=0.4).faults()


def test_the_middle_of_a_placed_map_is_raised_by_its_weight():
  film = np.zeros((1, 16, 16), np.float32)
  found = placing.place({"sal": film}, None, MapOptions(centre=0.5))
  assert set(found) == {"sal_placed"}
  half = found["sal_placed"][0]
  np.testing.assert_allclose(half, placing.centre_map(16) / 2, atol=1e-6)
  np.testing.assert_allclose(half, half[::-1, ::-1], atol=1e-6)
  assert half[8, 8] == half.max()
