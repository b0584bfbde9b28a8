"""Films that look like mistakes, on drawn chests and on all real ones."""

import cv2
import numpy as np
import pytest
from PIL import Image

from chexjax.data import likeness
from chexjax.data.images import read_film

TURNED = {
  "": lambda a: a,
  likeness.INVERTED: lambda a: 255 - a,
  likeness.UPSIDE_DOWN: lambda a: a[::-1],
  likeness.SIDEWAYS: np.rot90,
}


def drawn():
  """A body with a spine and two lungs on a dark ground."""
  image = np.full((256, 256), 20, np.uint8)
  cv2.ellipse(image, (128, 200), (105, 170), 0, 0, 360, 170, -1)
  for x in (80, 176):
    cv2.ellipse(image, (x, 100), (30, 70), 0, 0, 360, 60, -1)
  cv2.rectangle(image, (118, 0), (138, 255), 200, -1)
  return image


@pytest.mark.parametrize("said", TURNED)
def test_a_drawn_chest_is_told_from_its_mistakes(said):
  image = np.ascontiguousarray(TURNED[said](drawn()))
  before = image.copy()
  assert likeness.doubt(image) == said
  np.testing.assert_array_equal(image, before)


def test_what_shows_nothing_or_something_else():
  assert likeness.doubt(np.full((30, 40), 90, np.uint8)) == ""
  assert likeness.doubt(np.full((1, 1), 90, np.uint8)) == ""
  ramp = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (128, 1))
  assert likeness.doubt(ramp) in (likeness.UNLIKE, likeness.SIDEWAYS)


def test_colour_is_noted_and_grey_in_three_channels_is_not(tmp_path):
  grey = Image.fromarray(drawn())
  Image.merge("RGB", [grey] * 3).save(tmp_path / "grey.png")
  green = Image.merge("RGB", [Image.new("L", grey.size), grey, grey])
  green.save(tmp_path / "green.png")
  assert read_film(tmp_path / "grey.png", 64).notes == ()
  assert "in colour" in read_film(tmp_path / "green.png", 64).notes[0]


@pytest.mark.shared
def test_false_alarms_on_a_part_of_the_real_films(shared):
  files = sorted((shared / "nih" / "images_512").glob("*.jpg"))[::25]
  images = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
  alarms = sum(likeness.doubt(image) != "" for image in images)
  assert alarms <= 0.05 * len(images)
  for said, turn in TURNED.items():
    if said:
      found = [
        likeness.doubt(np.ascontiguousarray(turn(i))) == said for i in images
      ]
      assert np.mean(found) > 0.9, said
