"""The decoder gives the pixels that Pillow gives."""

import io
import multiprocessing

import cv2
import numpy as np
import pytest
from PIL import Image

from chexjax.data.decoding import decode_grey, read_grey


def grey(size=(48, 64)):
  return np.random.default_rng(0).integers(0, 256, size, np.uint8)


def read_grey_from_bytes(path, size):
  image = decode_grey(path.read_bytes())[..., 0]
  image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
  return image[..., None]


def encode(image, kind="PNG", **options):
  buffer = io.BytesIO()
  image.save(buffer, kind, **options)
  return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_png_is_exact_in_every_mode(mode):
  image = Image.fromarray(grey())
  alpha = Image.new("L", image.size, 255)
  channels = {"L": 1, "RGB": 3, "RGBA": 3, "LA": 1}[mode]
  bands = [image] * channels + [alpha] * mode.endswith("A")
  got = decode_grey(encode(Image.merge(mode, bands)))
  np.testing.assert_array_equal(got, grey()[..., None])


@pytest.mark.parametrize("quality", [50, 90])
def test_jpeg_is_what_pillow_gives(quality):
  data = encode(Image.fromarray(grey()), "JPEG", quality=quality)
  want = np.asarray(Image.open(io.BytesIO(data)))
  np.testing.assert_array_equal(decode_grey(data)[..., 0], want)


def test_an_orientation_tag_does_not_turn_the_image_from_its_boxes():
  exif = Image.Exif()
  exif[0x0112] = 6
  data = encode(Image.fromarray(grey()), "JPEG", exif=exif)
  assert decode_grey(data).shape == (48, 64, 1)


@pytest.mark.parametrize("data", [b"", b"no image"])
def test_no_image_is_named(tmp_path, data):
  (tmp_path / "a.png").write_bytes(data)
  with pytest.raises(ValueError, match=r"a.png: \d+ bytes do not decode"):
    read_grey(tmp_path / "a.png", 32)


def test_half_the_size_is_the_mean_of_four_pixels(tmp_path):
  Image.fromarray(grey((64, 64))).save(tmp_path / "a.png")
  want = grey((64, 64)).reshape(32, 2, 32, 2).mean((1, 3))
  got = read_grey(tmp_path / "a.png", 32)[..., 0].astype(float)
  # Half a grey value of rounding.
  assert np.abs(got - want).max() <= 0.5


def test_the_size_itself_is_left_alone(tmp_path):
  Image.fromarray(grey((64, 64))).save(tmp_path / "a.png")
  got = read_grey(tmp_path / "a.png", 64)
  np.testing.assert_array_equal(got[..., 0], grey((64, 64)))


@pytest.fixture(params=["threads", "worker"])
def reader(request, monkeypatch):
  """Reads as a process does that has threads, and as its worker does."""
  parent = None if request.param == "threads" else object()
  monkeypatch.setattr(multiprocessing, "parent_process", lambda: parent)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("options", [{}, {"transparency": 7}, {"bits": 4}])
def test_a_png_file_is_what_its_bytes_are(tmp_path, mode, options):
  path = tmp_path / "ä b.png"
  if mode != "L":
    options = {}
  Image.fromarray(grey() // 16).convert(mode).save(path, **options)
  np.testing.assert_array_equal(
    read_grey(path, 64), read_grey_from_bytes(path, 64)
  )


@pytest.mark.usefixtures("reader")
def test_a_damaged_grey_png_is_refused(tmp_path):
  data = bytearray(encode(Image.fromarray(grey())))
  data[len(data) // 2] ^= 1
  (tmp_path / "a.png").write_bytes(data)
  with pytest.raises(ValueError, match=r"a.png: \d+ bytes do not decode"):
    read_grey(tmp_path / "a.png", 32)


@pytest.mark.usefixtures("reader")
@pytest.mark.shared
def test_real_pngs_are_what_pillow_gives(shared):
  for path in sorted((shared / "nih" / "images_1024").iterdir()):
    want = np.asarray(Image.open(path))
    want = want[..., 0] if want.ndim == 3 else want
    np.testing.assert_array_equal(read_grey(path, 1024)[..., 0], want)
