"""What an exported file needs around it agrees with the library."""

import numpy as np
import pytest
from PIL import Image

from chexjax.data.images import read_film
from chexjax.inference import boxes
from experiments.engines.standalone import cut_box, read_square


@pytest.mark.parametrize("kind", ["L", "RGB", "RGBA", "P", "16", "turned"])
def test_a_film_becomes_the_same_square(kind, tmp_path):
  grey = np.random.default_rng(0).integers(0, 256, (90, 120), np.uint8)
  image = Image.fromarray(grey)
  path, options = tmp_path / "film.png", {}
  if kind == "16":
    image = Image.fromarray(grey.astype(np.uint16) * 250 + 7)
  elif kind == "turned":
    options["exif"] = image.getexif()
    options["exif"][0x0112] = 6
  else:
    image = image.convert(kind)
  image.save(path, **options)
  want = read_film(path, 64)
  square, shape = read_square(path, 64)
  np.testing.assert_array_equal(square, want.image)
  assert shape == want.original.shape


@pytest.mark.parametrize("side", [16, 64])
@pytest.mark.parametrize("threshold", [0.0, 0.7, 0.95, 1.0])
def test_a_box_is_that_of_predict(side, threshold):
  rng = np.random.default_rng(side)
  # Smooth, so that there are a few components.
  heat = (
    rng.random((side // 4, side // 4), np.float32).repeat(4, 0).repeat(4, 1)
  )
  want = boxes.cut_box(heat, threshold, size=64, original=(90, 120))
  assert cut_box(heat, threshold, 64, (90, 120)) == want["box"]


def test_a_flat_map_has_no_box():
  assert cut_box(np.ones((8, 8), np.float32), 0.9, 64, (90, 120)) is None
