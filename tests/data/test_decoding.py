"""The readers give the pixels of Pillow and of the builder's records."""

import io
import multiprocessing

import numpy as np
import pytest
from PIL import Image

from chexjax.data.decoding import decode_grey, read_grey
from chexjax.data.images import read_film
from tfds_chestxray14.encoding import stored


def grey(size=(48, 64)):
  return np.random.default_rng(0).integers(0, 256, size, np.uint8)


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


@pytest.mark.parametrize(
  ("data", "said"),
  [
    (b"", "is empty: a file of 0 bytes"),
    (b"no image", "cannot identify image file"),
  ],
)
def test_no_image_is_named(tmp_path, data, said):
  (tmp_path / "a.png").write_bytes(data)
  with pytest.raises(ValueError, match=rf"a.png: {said}$"):
    read_grey(tmp_path / "a.png", 32)


@pytest.fixture(params=["threads", "worker"])
def reader(request, monkeypatch):
  """Reads as a process does that has threads, and as its worker does."""
  parent = None if request.param == "threads" else object()
  monkeypatch.setattr(multiprocessing, "parent_process", lambda: parent)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("options", [{}, {"transparency": 7}, {"bits": 4}])
@pytest.mark.parametrize("size", [24, 64, 100])
def test_a_file_is_what_the_builder_stores(tmp_path, mode, options, size):
  path = tmp_path / "ä b.png"
  image = Image.fromarray(grey((64, 64)) // 16)
  image.convert(mode).save(path, **options if mode == "L" else {})
  want = decode_grey(stored(str(path), size))
  np.testing.assert_array_equal(read_grey(path, size), want)


def test_a_worker_takes_the_short_way(tmp_path, monkeypatch):
  """Without it the test above would compare Pillow with Pillow."""
  import kornia_rs

  seen = []
  decode = kornia_rs.io.decode_image_png_u8
  monkeypatch.setattr(
    kornia_rs.io,
    "decode_image_png_u8",
    lambda *args: seen.append(1) or decode(*args),
  )
  Image.fromarray(grey()).save(tmp_path / "a.png")
  read_grey(tmp_path / "a.png", 32)
  assert not seen
  monkeypatch.setattr(multiprocessing, "parent_process", object)
  read_grey(tmp_path / "a.png", 32)
  assert seen


@pytest.mark.usefixtures("reader")
def test_a_damaged_grey_png_is_refused(tmp_path):
  data = bytearray(encode(Image.fromarray(grey())))
  data[len(data) // 2] ^= 1
  (tmp_path / "a.png").write_bytes(data)
  with pytest.raises(ValueError, match=r"a.png: \S"):
    read_grey(tmp_path / "a.png", 32)


@pytest.mark.usefixtures("reader")
@pytest.mark.shared
def test_real_pngs_are_what_the_builder_stores(shared):
  for path in sorted((shared / "nih" / "images_1024").iterdir()):
    for size in (512, 1024):
      want = decode_grey(stored(str(path), size))
      np.testing.assert_array_equal(read_film(path, size).image, want)
      np.testing.assert_array_equal(read_grey(path, size), want)
