"""Real films: within a grey level of DCMTK's picture, whatever the encoding."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from dicom_films import film, pydicom, ramp, table, uid, write
from PIL import Image

from chexjax.data.images import read_film
from chexjax.dicom.film import read_dicom

DCMTK = shutil.which("dcmj2pnm")
needs_dcmtk = pytest.mark.skipif(
  DCMTK is None, reason="no dcmj2pnm: apt-get install dcmtk"
)
MOST = 40_000_000
# -O: without overlays, which we do not draw either. +Wi 1, +Wl 1: the first
# window or VOI LUT, which DCMTK does not apply by itself. Nothing: the range of
# the Modality LUT, or 8 bits as they are.
WINDOW, LUT, PLAIN = ("+Wi", "1"), ("+Wl", "1"), ()
SAMPLES = {
  "dx_mono1_8bit_dog_lateral": WINDOW,
  "mlut_18_modality_lut_signed": PLAIN,
  "nih_google_8bit_implicit": PLAIN,
  "rg1_j2k_lossy_full": WINDOW,
  "rg1_small_j2k": WINDOW,
  "rg1_small_jpeg_lossless_sv1": WINDOW,
  "rg1_small_jpegls": WINDOW,
  "rg1_small_rle": WINDOW,
  "rsna_nih_jpeg_8bit": PLAIN,
  "vlut_04_voi_lut": LUT,
}


@pytest.fixture(scope="module")
def samples():
  default = pathlib.Path(__file__).parents[3] / "shared"
  folder = pathlib.Path(os.environ.get("CHEXJAX_SHARED", default)) / "dicom"
  if not folder.is_dir():
    pytest.skip(f"no {folder}: set CHEXJAX_SHARED to the folder above it")
  return folder


def dcmtk(path, options, scratch):
  """Return DCMTK's picture; it decodes neither JPEG 2000 nor JPEG-LS itself."""
  dataset = pydicom.dcmread(path)
  syntax = dataset.file_meta.TransferSyntaxUID
  if syntax in (*uid.JPEG2000TransferSyntaxes, *uid.JPEGLSTransferSyntaxes):
    dataset.decompress()
    path = scratch / "plain.dcm"
    dataset.save_as(path)
  out = scratch / "out.pgm"
  command = [DCMTK, "-q", "-O", "+op", *options, str(path), str(out)]
  subprocess.run(command, check=True, capture_output=True)
  return np.asarray(Image.open(out)).astype(int)


def test_a_sample_is_in_the_list_for_every_file(samples):
  assert {path.stem for path in samples.glob("*.dcm")} == SAMPLES.keys()


@needs_dcmtk
@pytest.mark.shared
@pytest.mark.parametrize("name", SAMPLES)
def test_a_real_film_is_within_a_grey_level_of_dcmtk(samples, name, tmp_path):
  path = samples / f"{name}.dcm"
  grey = np.asarray(read_dicom(path, max_pixels=MOST).grey).astype(int)
  want = dcmtk(path, SAMPLES[name], tmp_path)
  # DCMTK cuts fractions off where we round.
  assert np.abs(grey - want).max() <= 1


@pytest.mark.shared
def test_one_film_in_four_encodings_is_the_same(samples):
  greys = [
    read_dicom(samples / f"rg1_small_{kind}.dcm", max_pixels=MOST).grey
    for kind in ("rle", "jpegls", "j2k", "jpeg_lossless_sv1")
  ]
  for grey in greys[1:]:
    np.testing.assert_array_equal(grey, greys[0])


@pytest.mark.shared
def test_what_the_headers_of_real_films_tell(samples):
  views = {
    path.stem: read_dicom(path, max_pixels=MOST).view
    for path in sorted(samples.glob("*.dcm"))
  }
  assert views.pop("dx_mono1_8bit_dog_lateral") == "lateral"
  assert views.pop("rsna_nih_jpeg_8bit") == "frontal"
  for name, view in views.items():
    assert view == ("frontal" if name.startswith("rg1") else "unknown")
  with pytest.raises(ValueError, match="is a lateral view by its Acquisition"):
    read_film(samples / "dx_mono1_8bit_dog_lateral.dcm", 64)


@pytest.mark.shared
def test_raw_values_exported_as_png_are_noticed(samples, tmp_path):
  raw = pydicom.dcmread(samples / "rg1_small_rle.dcm").pixel_array
  Image.fromarray(raw.astype(np.uint16)).save(tmp_path / "raw.png")
  (note,) = read_film(tmp_path / "raw.png", 64).notes
  assert "a DICOM film's raw values" in note
  assert read_film(samples / "rg1_small_rle.dcm", 64).notes == ()


@needs_dcmtk
@pytest.mark.parametrize(
  ("tags", "options"),
  [
    ({"WindowCenter": 1500, "WindowWidth": 900}, WINDOW),
    ({"WindowCenter": 1500, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
     WINDOW),
    ({"WindowCenter": [2000, 9], "WindowWidth": [3000, 9]}, WINDOW),
    ({"RescaleSlope": -2, "RescaleIntercept": 50, "WindowCenter": -4000,
      "WindowWidth": 6000}, WINDOW),
    ({"VOILUTSequence": table(500, np.arange(0, 65536, 40))}, LUT),
    # DCMTK finds a table's own top when it is told to.
    ({"VOILUTSequence": table(0, np.arange(4096))}, ("+Mv", *LUT)),
    ({"ModalityLUTSequence": table(0, np.arange(4096) * 3 // 4),
      "WindowCenter": 1000, "WindowWidth": 2000}, ("+Mm", *WINDOW)),
  ],
)  # fmt: skip
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_drawn_films_are_within_a_grey_level_too(
  tags, options, photometric, tmp_path
):
  dataset = film(ramp(), PhotometricInterpretation=photometric, **tags)
  path = write(dataset, tmp_path / "film.dcm")
  grey = np.asarray(read_dicom(path, max_pixels=MOST).grey).astype(int)
  assert np.abs(grey - dcmtk(path, options, tmp_path)).max() <= 1
