"""Films turned upright and made square, and boxes on their way back."""

import numpy as np
import pytest
from dicom_films import HEIGHT, WIDTH, film, ramp

from chexjax.dicom.film import film_of

EIGHT = ramp(8).astype(np.uint8)
# Orientation of a stored film -> how it is stored, given the upright one.
STORED = {
  "LF": lambda a: a,
  "RF": lambda a: a[:, ::-1],
  "LH": lambda a: a[::-1],
  "RH": lambda a: a[::-1, ::-1],
  "FL": lambda a: a.T,
  "FR": lambda a: a[:, ::-1].T,
  "HL": lambda a: a[::-1].T,
  "HR": lambda a: a[::-1, ::-1].T,
}


@pytest.mark.parametrize("ways", STORED)
def test_every_orientation_is_undone_and_boxes_find_back(ways):
  upright = EIGHT.copy()
  upright[5:9, 20:30] = 255
  stored = np.ascontiguousarray(STORED[ways](upright))
  found = film_of(
    film(stored, bits=8, PatientOrientation=list(ways)), max_pixels=10**6
  )
  np.testing.assert_array_equal(found.grey, upright)
  assert found.view == "frontal"
  said = " ".join(found.notes)
  assert ("is undone" in said) == (ways != "LF") == found.placement.turned
  box = found.placement.to_original(np.array([20, 5, 30, 9]))
  y, x = np.nonzero(stored == 255)
  edges = [x.min(), y.min(), x.max() + 1, y.max() + 1]
  # The brightest corner of the ramp is 255 too.
  inside = stored[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])]
  assert (inside == 255).all()
  assert inside.size == 40
  assert edges[0] <= box[0] < box[2] <= edges[2]
  back = found.placement.from_original(box)
  np.testing.assert_allclose(back, [20, 5, 30, 9], atol=1e-9)
  many = np.array([[[0, 0, 1, 2]], [[3, 4, 5, 6]]])
  assert found.placement.to_original(many).shape == (2, 1, 4)


@pytest.mark.parametrize(
  ("ways", "said"),
  [(["L", "A"], "lateral"), (["Q", "F"], "not turned"), (["L", "L"], "not")],
)
def test_an_orientation_that_is_not_of_a_frontal_film_turns_nothing(ways, said):
  tags = {"PatientOrientation": ways}
  if said == "lateral":
    tags["ViewPosition"] = None
  found = film_of(film(EIGHT, bits=8, **tags), max_pixels=10**6)
  np.testing.assert_array_equal(found.grey, EIGHT)
  assert said in " ".join(found.notes)


@pytest.mark.parametrize(
  ("tags", "size"),
  [
    ({"PixelAspectRatio": [2, 1]}, (WIDTH, 2 * HEIGHT)),
    ({"PixelSpacing": [0.1, 0.2]}, (2 * WIDTH, HEIGHT)),
    ({"ImagerPixelSpacing": [0.15, 0.1]}, (WIDTH, 72)),
    ({"PixelSpacing": [0.2, 0.1], "PatientOrientation": ["F", "L"]}, (96, 64)),
  ],
)
def test_pixels_are_made_square(tags, size):
  found = film_of(film(EIGHT, bits=8, **tags), max_pixels=10**6)
  assert found.grey.size == size
  assert "made square" in " ".join(found.notes)
  box = np.array([0, 0, *size])
  want = [0, 0, WIDTH, HEIGHT]
  np.testing.assert_allclose(found.placement.to_original(box), want)


@pytest.mark.parametrize(
  ("tags", "said"),
  [
    ({"PixelSpacing": [0, 0]}, ""),
    ({"PixelSpacing": [0.143, 0.1431]}, ""),
    ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.2, 0.2]}, ""),
    ({"PixelAspectRatio": [1, 1000]}, "taken for squares"),
    ({"PixelSpacing": [0.1]}, ""),
  ],
)
def test_spacings_that_say_nothing_scale_nothing(tags, said):
  found = film_of(film(EIGHT, bits=8, **tags), max_pixels=10**6)
  assert found.grey.size == (WIDTH, HEIGHT)
  assert said in " ".join(found.notes)
  assert bool(said) == bool(found.notes)
