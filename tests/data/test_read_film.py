"""Image files of every kind, and what is no image."""

import numpy as np
import pytest
from PIL import Image

from chexjax.data.images import read_film

GREY = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8) * 2


def save(path, kind):
  grey = Image.fromarray(GREY)
  if kind == "16 bit":
    image = Image.fromarray(GREY.astype(np.uint16) * 257)
  elif kind == "palette":
    image = grey.convert("P")
  elif kind == "RGBA":
    image = Image.merge("RGBA", [grey] * 3 + [Image.new("L", grey.size, 9)])
  else:
    image = grey.convert(kind)
  image.save(path)


@pytest.mark.parametrize(
  "kind", ["L", "LA", "RGB", "RGBA", "palette", "16 bit"]
)
def test_every_mode_of_png_gives_the_same_grey(tmp_path, kind):
  save(tmp_path / "a.png", kind)
  film = read_film(tmp_path / "a.png", 64)
  np.testing.assert_array_equal(film.original, GREY)
  assert film.image.shape == (64, 64, 1)
  assert film.image.dtype == np.uint8
  assert film.notes == ()


def test_an_image_of_the_models_size_is_not_resampled(tmp_path):
  pixels = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
  Image.fromarray(pixels).save(tmp_path / "a.png")
  film = read_film(tmp_path / "a.png", 32)
  np.testing.assert_array_equal(film.image[..., 0], pixels)


def test_jpeg_is_turned_upright_and_that_is_said(tmp_path):
  exif = Image.Exif()
  exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
  Image.fromarray(GREY).save(tmp_path / "a.jpg", exif=exif, quality=95)
  film = read_film(tmp_path / "a.jpg", 32)
  assert film.original.shape == GREY.shape[::-1]
  turned = np.rot90(GREY, -1).astype(float)
  assert np.abs(film.original - turned).mean() < 3
  assert "EXIF" in film.notes[0]


def test_what_may_mislead_is_noted(tmp_path):
  twelve_bits = GREY.astype(np.uint16) * 16  # 0..4095 of 0..65535
  Image.fromarray(np.tile(twelve_bits, (1, 2))).save(tmp_path / "a.png")
  notes = " ".join(read_film(tmp_path / "a.png", 32).notes)
  assert "12 bits" in notes
  assert "120x40 is stretched" in notes


@pytest.mark.parametrize(
  ("content", "said"), [(b"", "is empty"), (b"GIF", "cannot identify")]
)
def test_what_is_no_image_is_named(tmp_path, content, said):
  (tmp_path / "a.png").write_bytes(content)
  with pytest.raises(ValueError, match=rf"a\.png.*{said}"):
    read_film(tmp_path / "a.png", 32)


def test_truncated_and_other_formats_are_named(tmp_path):
  save(tmp_path / "a.png", "L")
  data = (tmp_path / "a.png").read_bytes()
  (tmp_path / "a.png").write_bytes(data[:-60])
  with pytest.raises(ValueError, match=r"a\.png"):
    read_film(tmp_path / "a.png", 32)
  Image.fromarray(GREY).save(tmp_path / "b.png", format="TIFF")
  with pytest.raises(ValueError, match="is TIFF, must be PNG, JPEG or DICOM"):
    read_film(tmp_path / "b.png", 32)
