"""Films become squares, and boxes go along."""

import numpy as np
import pytest
from PIL import Image

from chexjax.data.framing import (
  SHAPES,
  frame_of,
  from_square,
  into_square,
  to_square,
)
from chexjax.data.images import film_of_array, read_film
from chexjax.data.own_set import open_own_set
from chexjax.data.sources import true_boxes

FILMS = [(96, 64), (64, 96), (64, 64), (1, 500), (333, 100)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize("size", [32, 33, 128])
def test_a_film_fills_its_frame_and_boxes_come_back(film, size, shape):
  frame = frame_of(film, size, shape)
  assert max(frame.width, frame.height) == size
  whole = np.array([0, 0, *film], float)
  left, top, width, height = frame
  want = [left, top, left + width, top + height]
  np.testing.assert_allclose(into_square(whole, film, size, shape), want)
  boxes = np.random.default_rng(0).uniform(0, 50, (5, 4))
  there = into_square(boxes, film, size, shape)
  back = from_square(there, film, size, shape)
  np.testing.assert_allclose(back, boxes, atol=1e-9)
  white = to_square(Image.new("L", film, 255), size, shape)[..., 0]
  assert white.shape == (size, size)
  assert (white[top : top + height, left : left + width] == 255).all()
  # Nothing outside of the frame.
  assert (white == 255).sum() == width * height


def test_letterbox_keeps_the_aspect_ratio():
  assert frame_of((100, 50), 64, "letterbox") == (0, 16, 64, 32)
  assert frame_of((100, 50), 64, "squeeze") == (0, 0, 64, 64)


def test_another_shape_is_refused(own_folder, tmp_path):
  folder = own_folder(tmp_path / "own").write()
  with pytest.raises(ValueError, match="shape must be one of"):
    open_own_set(folder, size=32, shape="crop")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_box_stays_on_its_lesion(own_folder, tmp_path, shape, orientation):
  """A white block is drawn and marked; the box found again is its border."""
  own = own_folder(tmp_path / "own")
  values = np.zeros((120, 80), np.uint8)  # as viewers show it
  values[40:80, 20:60] = 255
  turn = {1: 0, 6: 1}[orientation]
  stored = Image.fromarray(np.ascontiguousarray(np.rot90(values, turn)))
  exif = Image.Exif()
  exif[0x0112] = orientation
  stored.save(own.path / "a/00.png", exif=exif)
  own.boxes = [own.boxes[0], "a/00.png,Cat,20,40,40,40"]
  dataset = open_own_set(own.write(), size=240, shape=shape)
  assert dataset.metadata["shape"] == shape
  (example,) = (
    example
    for source in dataset.splits.values()
    for example in (source[i] for i in range(len(source)))
    if example["file_name"] == b"a/00.png"
  )
  (box,) = true_boxes(example, ["Cat", "Dog"], 240)["Cat"]
  rows, columns = np.nonzero(example["image"][..., 0] > 127)
  found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
  np.testing.assert_allclose(box, found, atol=1)
  film = read_film(own.path / "a/00.png", 240, shape=shape)
  np.testing.assert_array_equal(film.image, example["image"])
  again = film_of_array(values, 240, shape=shape)
  np.testing.assert_array_equal(film.image, again.image)
