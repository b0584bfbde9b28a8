"""What is stored for an image."""

import io

import numpy as np
import pytest
from PIL import Image

from tfds_chestxray14 import encoding


def _save(image, path, **options):
  image.save(path, **options)
  return str(path)


def _decode(data):
  return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_grey_of_the_size_keeps_its_bytes(draw, tmp_path, name):
  path = _save(draw(1), tmp_path / name)
  assert encoding.stored(path, 128) == (tmp_path / name).read_bytes()
  assert encoding.probe(path).as_is(128)


def _variants(grey):
  rgba = Image.merge("RGBA", [grey] * 3 + [Image.new("L", grey.size, 255)])
  palette = grey.convert("P")
  palette.putpalette([value for value in range(256) for _ in range(3)])
  sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
  return {
    "RGBA": rgba,
    "RGB": Image.merge("RGB", [grey] * 3),
    "LA": Image.merge("LA", [grey, Image.new("L", grey.size, 255)]),
    "P": palette,
    "I;16": sixteen,
  }


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "LA", "P", "I;16"])
def test_other_modes_become_the_same_grey(draw, tmp_path, mode):
  grey = draw(2)
  path = _save(_variants(grey)[mode], tmp_path / "a.png")
  assert encoding.probe(path).mode == mode
  assert not encoding.probe(path).as_is(128)
  stored = _decode(encoding.stored(path, 128))
  assert (stored.format, stored.mode) == ("PNG", "L")
  np.testing.assert_array_equal(np.asarray(stored), np.asarray(grey))


def test_colour_becomes_luma(tmp_path):
  colour = Image.new("RGB", (16, 16), (255, 0, 0))
  stored = _decode(encoding.stored(_save(colour, tmp_path / "a.png"), 16))
  assert np.all(np.asarray(stored) == 76)


def test_resize_is_antialiased_and_lossless(draw, tmp_path):
  board = np.indices((256, 256)).sum(0) % 2 * 255
  image = Image.fromarray(board.astype(np.uint8))
  stored = _decode(encoding.stored(_save(image, tmp_path / "a.png"), 64))
  assert stored.size == (64, 64)
  # A nearest neighbour gives all 0 or all 255.
  inner = np.asarray(stored)[2:-2, 2:-2].astype(int)
  assert np.abs(inner - 127.5).max() < 2
  smooth = draw(3, 256)
  stored = _decode(encoding.stored(_save(smooth, tmp_path / "b.png"), 128))
  expected = smooth.resize((128, 128), Image.Resampling.LANCZOS)
  np.testing.assert_array_equal(np.asarray(stored), np.asarray(expected))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_truncated_file_is_found_by_its_end(draw, tmp_path, name):
  path = tmp_path / name
  data = io.BytesIO()
  draw(4).save(data, "png" if name == "a.png" else "jpeg")
  path.write_bytes(data.getvalue()[:-200])
  for function in (encoding.probe, lambda p: encoding.stored(p, 128)):
    with pytest.raises(ValueError, match=f"{name} does not decode: "):
      function(str(path))


def test_bytes_after_the_end_are_no_fault(draw, tmp_path):
  path = _save(draw(5), tmp_path / "a.png")
  with open(path, "ab") as file:
    file.write(b"trailing")
  assert encoding.probe(path).mode == "L"


@pytest.mark.parametrize("data", [b"", b"no image at all"])
def test_no_image(tmp_path, data):
  (tmp_path / "a.png").write_bytes(data)
  with pytest.raises(ValueError, match=r"a.png does not decode: not an image$"):
    encoding.probe(str(tmp_path / "a.png"))


def test_damage_inside_is_found_by_decoding(draw, tmp_path):
  path = tmp_path / "a.png"
  data = io.BytesIO()
  draw(6).save(data, "png")
  damaged = bytearray(data.getvalue())
  middle = len(damaged) // 2
  damaged[middle : middle + 40] = bytes(40)
  path.write_bytes(damaged)
  encoding.probe(str(path))
  with pytest.raises(ValueError, match="does not decode"):
    encoding.probe(str(path), decode=True)
