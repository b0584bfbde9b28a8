import subprocess
import sys

import numpy as np
import pytest
from skimage.io import imread

from chexjax.report import Case, example_figure, example_grid

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 255, (64, 64), np.uint8)
BOX = [16, 16, 48, 40]


def maps():
  heat = np.zeros((16, 16))
  heat[4:10, 4:12] = 0.3
  return {"sal": heat, "det": heat * 0, "mix": heat + 0.1}


def count(path, colour):
  gap = imread(path)[..., :3].astype(int) - colour
  return int((np.abs(gap).max(-1) < 12).sum())


GREEN, CYAN = [0x3D, 0xDC, 0x3D], [0x2E, 0xE6, 0xFF]


def test_an_example_shows_both_boxes(tmp_path):
  path = tmp_path / "a.png"
  example_figure(path, IMAGE, maps(), predicted=BOX, true=[5, 5, 40, 30])
  assert count(path, GREEN) > 500
  assert count(path, CYAN) > 500
  width = imread(path).shape[1]
  assert 800 < width < 2000


def test_missing_boxes_are_left_out(tmp_path):
  path = tmp_path / "a.png"
  empty = {"sal": np.zeros(4), "det": np.full(4, np.nan)}
  example_figure(path, IMAGE[..., None], maps(), predicted=empty)
  legend = count(path, CYAN)
  assert legend < 400


def test_a_grid_has_a_row_per_case(tmp_path):
  cases = [Case(IMAGE, maps(), {"mix": BOX}, [BOX, BOX], "Mass\na_$1_.png")]
  example_grid(tmp_path / "1.png", cases)
  example_grid(tmp_path / "3.png", cases * 3, title="50 % of <b>")
  one, three = (imread(tmp_path / f"{n}.png").shape for n in (1, 3))
  assert one[1] == three[1]
  assert three[0] > 2 * one[0]


def test_an_untrained_heads_maps_are_not_drawn(tmp_path):
  more = {**maps(), "det_untrained": maps()["sal"], "mix_untrained": np.eye(4)}
  for name, drawn in (("a", maps()), ("b", more)):
    example_figure(tmp_path / f"{name}.png", IMAGE, drawn, predicted=BOX)
  a, b = (imread(tmp_path / f"{name}.png") for name in "ab")
  np.testing.assert_array_equal(a, b)


def test_bad_input():
  with pytest.raises(ValueError, match="uint8"):
    example_figure("x.png", IMAGE / 255, maps())
  with pytest.raises(ValueError, match="map sal"):
    example_figure("x.png", IMAGE, {"sal": np.full((2, 2), np.nan)})
  with pytest.raises(ValueError, match="at least one"):
    example_grid("x.png", [])


def test_matplotlib_is_imported_when_a_picture_is_drawn():
  code = "import sys, chexjax.report; sys.exit('matplotlib' in sys.modules)"
  assert (
    subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
  )
