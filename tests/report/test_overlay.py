"""The overlay: size, where the box is, and what is refused."""

import numpy as np
import pytest

from chexjax.report.overlay import Marked, draw_overlay


def test_box_is_drawn_where_it_is_scaled_to():
  image = np.zeros((1000, 2000), np.uint8)
  heat = np.zeros((4, 4), np.float32)
  picture = draw_overlay(
    image, [Marked("Mass 0.9", heat, [500, 250, 1500, 750]), Marked("b", heat)]
  )
  pixels = np.asarray(picture).astype(int)
  # 480 px of 2000: a pixel is 0.24, columns are 484 apart, the title 22 high.
  cyan = np.abs(pixels - (46, 230, 255)).max(-1) < 10
  ys, xs = np.nonzero(cyan[:, 484:968])
  assert (xs.min(), xs.max()) == (120, 359)
  assert (ys.min(), ys.max()) == (22 + 60, 22 + 179)
  assert picture.size == (3 * 484, 240 + 44)
  assert cyan[:, 968:].any()  # "no box"


def test_a_tiny_image_and_a_box_of_a_pixel_are_drawn():
  image = np.full((2, 3), 7, np.uint8)
  draw_overlay(image, [Marked("a", np.eye(2), [0, 0, 0.001, 0.001])])


def test_colour_is_refused():
  with pytest.raises(ValueError, match="want an image"):
    draw_overlay(np.zeros((2, 2, 3), np.uint8), [])


def test_pictures_in_rows_are_those_in_one_row():
  rng = np.random.default_rng(0)
  image = rng.integers(0, 256, (480, 480), np.uint8)
  marked = [
    Marked(name, rng.random((8, 8)), [30, 40, 90, 400]) for name in "abcd"
  ]
  row = np.asarray(draw_overlay(image, marked))
  rows = np.asarray(draw_overlay(image, marked, columns=2))
  assert rows.shape == (3 * 502 + 22, 2 * 484, 3)
  for number in range(5):
    top, left = number // 2 * 502, number % 2 * 484
    one = row[:502, number * 484 : (number + 1) * 484]
    assert (rows[top : top + 502, left : left + 484] == one).all()
