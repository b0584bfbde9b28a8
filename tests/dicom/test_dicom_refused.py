"""What is no film, or none that can be read: a sentence for each kind."""

import io
import pathlib
import tracemalloc
import zlib

import numpy as np
import pytest
from dicom_films import NAME, NUMBER, film, pydicom, ramp, uid, write
from PIL import Image

from chexjax.data.decoding import read_upright
from chexjax.data.headers import read_header
from chexjax.dicom import datasets
from tfds_chestxray14.encoding import MAX_PIXELS

EIGHT = ramp(8).astype(np.uint8)
PYDICOM = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"


def packed(dataset, frame):
  """Set a data set's one compressed frame."""
  dataset.PixelData = pydicom.encaps.encapsulate([frame])
  dataset["PixelData"].is_undefined_length = True


def refused(path):
  """Return the reason, which both readers give."""
  with pytest.raises(ValueError, match=r"\S") as caught:
    read_upright(path)
  said = str(caught.value).removeprefix(f"{path}: ")
  assert read_header(path) == said
  assert "\n" not in said
  assert NAME not in said
  assert NUMBER not in said
  return said


@pytest.mark.parametrize(
  ("tags", "said"),
  [
    ({"NumberOfFrames": 3}, "has 3 frames, must be one film"),
    ({"PresentationIntentType": "FOR PROCESSING"}, "FOR PROCESSING"),
    ({"SOPClassUID": f"{uid.DigitalXRayImageStorageForPresentation}.1"},
     "FOR PROCESSING"),
    ({"SOPClassUID": uid.CTImageStorage}, "is a DICOM CT Image Storage"),
    ({"SOPClassUID": uid.SegmentationStorage}, "DICOM Segmentation Storage"),
    ({"SOPClassUID": uid.BasicTextSRStorage}, "DICOM Basic Text SR Storage"),
    ({"Rows": 60000, "Columns": 60000}, "3,600,000,000 pixels, more than"),
    ({"Rows": 6000, "Columns": 6000, "NumberOfFrames": 2}, "more than"),
    ({"Rows": 0}, "there is no film"),
    ({"Rows": None}, "has no Rows"),
    ({"Rows": 4800}, "breaks off in its pixel data: 3,072 of 307,200 bytes"),
    ({"BitsAllocated": 32}, "of 32 bits"),
    ({"SamplesPerPixel": 4}, "has 4 samples"),
    ({"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 255}, None),
  ],
)  # fmt: skip
def test_headers_that_are_refused(tmp_path, tags, said):
  path = write(film(EIGHT, bits=8, **tags), tmp_path / "film.dcm")
  if said is None:  # Found only when the pixels are decoded.
    assert not isinstance(read_header(path), str)
    with pytest.raises(ValueError, match="nothing but padding"):
      read_upright(path)
    return
  assert said in refused(path)


def test_what_is_named_dcm_and_is_none(tmp_path):
  path = tmp_path / "film.dcm"
  for data, said in (
    (b"<!doctype html><p>Sign in", "is a web page"),
    (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
    (b"", "is empty"),
    (b"no film at all", "cannot identify image file"),
  ):
    path.write_bytes(data)
    with pytest.raises(ValueError, match=said):
      read_upright(path)
    assert said in read_header(path)


def test_a_film_without_preamble_or_suffix_is_read(tmp_path):
  plain = write(film(EIGHT, bits=8), tmp_path / "plain")
  for syntax in (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian):
    bare = write(
      film(EIGHT, bits=8, syntax=syntax), tmp_path / "1", preamble=False
    )
    np.testing.assert_array_equal(read_upright(bare).grey, EIGHT)
    assert read_header(bare) == read_header(plain)
  # Without a preamble it must say what it is, and how large.
  for lacking in ("SOPClassUID", "Rows"):
    path = write(film(**{lacking: None}), tmp_path / "2", preamble=False)
    assert "is no DICOM file" in refused(path)


def test_pixels_that_break_off(tmp_path):
  dataset = film(EIGHT, bits=8)
  whole = write(dataset, tmp_path / "whole").read_bytes()
  dataset.compress(uid.RLELossless)
  packed = write(dataset, tmp_path / "packed").read_bytes()
  for data in (whole, packed):
    for less in (10, 200):
      (tmp_path / "cut").write_bytes(data[:-less])
      assert "breaks off in its pixel data" in refused(tmp_path / "cut")
  (tmp_path / "cut").write_bytes(whole[: len(whole) - EIGHT.size - 30])
  assert "breaks off" in refused(tmp_path / "cut")


def test_pixels_that_no_decoder_reads_are_named(tmp_path):
  dataset = film(EIGHT, bits=8)
  packed(dataset, b"\xff\xd8\xff\xd9")
  for syntax, name in (
    (uid.HTJ2KLossless, "High-Throughput JPEG 2000"),
    (uid.MPEG2MPML, "MPEG2"),
    ("1.2.3.4", "transfer syntax 1.2.3.4"),
  ):
    dataset.file_meta.TransferSyntaxUID = syntax
    said = refused(write(dataset, tmp_path / "film"))
    assert name in said
    assert "no decoder at hand reads" in said


def test_a_jpeg_of_12_bits_is_named(tmp_path):
  path = tmp_path / "film"
  dataset = pydicom.dcmread(PYDICOM / "JPGExtended.dcm")
  dataset.SOPClassUID = uid.SecondaryCaptureImageStorage
  dataset.save_as(path)
  assert "JPEG Extended" in refused(path)


def test_a_frame_larger_than_declared_is_not_decoded(tmp_path):
  dataset = film(EIGHT, bits=8, syntax=uid.JPEG2000Lossless)
  buffer = io.BytesIO()
  Image.fromarray(EIGHT).save(buffer, "JPEG2000", no_jp2=True)
  frame = buffer.getvalue()
  packed(dataset, frame)
  np.testing.assert_array_equal(
    read_upright(write(dataset, tmp_path / "film")).grey, EIGHT
  )
  packed(dataset, frame[:8] + (60000).to_bytes(4, "big") * 2 + frame[16:])
  said = refused(write(dataset, tmp_path / "film"))
  assert "declares 64x48 pixels, but its compressed frame 60000x60000" in said


def test_a_deflated_bomb_is_not_inflated(tmp_path, monkeypatch):
  monkeypatch.setattr(datasets, "_LARGEST", 1 << 20)
  dataset = film(EIGHT, bits=8, syntax=uid.DeflatedExplicitVRLittleEndian)
  path = write(dataset, tmp_path / "film")
  np.testing.assert_array_equal(read_upright(path).grey, EIGHT)
  data = path.read_bytes()
  begins = 144 + int.from_bytes(data[140:144], "little")
  packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
  body = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[begins:])
  bomb = packer.compress(body + b"\0" * (2 << 20)) + packer.flush()
  path.write_bytes(data[:begins] + bomb)
  assert "inflates to more than 1 MiB" in refused(path)


def test_a_huge_declaration_takes_no_memory(tmp_path):
  path = write(film(EIGHT, bits=8, Rows=65535, Columns=65535), tmp_path / "a")
  tracemalloc.start()
  refused(path)
  peak = tracemalloc.get_traced_memory()[1]
  tracemalloc.stop()
  assert peak < MAX_PIXELS // 4


def test_a_film_that_stays_silent_on_the_console(tmp_path, capfd):
  # pydicom warns of such values, and quotes them.
  data = write(film(EIGHT, bits=8), tmp_path / "film").read_bytes()
  place = data.index(b"SECRET-4711")
  (tmp_path / "film").write_bytes(
    data[:place] + b"SECRET\xff\xfe\\\\1" + data[place + 11 :]
  )
  read_upright(tmp_path / "film")
  read_header(tmp_path / "film")
  assert capfd.readouterr() == ("", "")


def test_pydicom_absent_names_the_extra(tmp_path, monkeypatch):
  from chexjax import extras

  path = write(film(EIGHT, bits=8), tmp_path / "film")
  real = extras.importlib.util.find_spec
  monkeypatch.setattr(
    extras.importlib.util,
    "find_spec",
    lambda name: None if name == "pydicom" else real(name),
  )
  assert "pip install 'chexjax[dicom]'" in refused(path)
