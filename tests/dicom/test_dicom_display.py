"""A presentation state shows a film as the film shows itself."""

import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("highdicom")
from dicom_films import ramp, table
from PIL import Image
from predicted_films import ALGORITHM, BOX, again, chest, findings

from chexjax.dicom.film import film_of
from chexjax.dicom.objects.presentation_state import presentation_state

MOST = 10**6


def displays():
  """Films whose display a presentation state must keep."""
  twelve = {"bits": 12}
  window = {"WindowCenter": 1500, "WindowWidth": 1200}
  curve = (np.linspace(0, 1, 4096) ** 2 * 16383).astype(int)
  yield "no window", twelve
  yield "inverted", twelve | {"PhotometricInterpretation": "MONOCHROME1"}
  yield "window", twelve | window
  yield "two windows", twelve | {
    "WindowCenter": [900, 2000], "WindowWidth": [800, 4000],
  }  # fmt: skip
  yield "exact", twelve | window | {"VOILUTFunction": "LINEAR_EXACT"}
  yield "inverted window", twelve | window | {
    "PhotometricInterpretation": "MONOCHROME1",
  }  # fmt: skip
  yield "LUT", twelve | {"VOILUTSequence": table(0, curve, 14)}
  # Read as US, its entries are numbers and not bytes.
  yield "LUT declared too wide", twelve | {
    "VOILUTSequence": table(0, curve // 4, 16),
  }  # fmt: skip
  yield "rescaled", twelve | {
    "RescaleSlope": -2, "RescaleIntercept": 4000,
    "WindowCenter": 500, "WindowWidth": 3000,
  }  # fmt: skip
  yield "eight bits", {"values": ramp(8).astype(np.uint8), "bits": 8}


@pytest.mark.skipif(
  shutil.which("dcmp2pgm") is None, reason="no dcmp2pgm: apt-get install dcmtk"
)
@pytest.mark.parametrize("tags", [pytest.param(t, id=n) for n, t in displays()])
def test_dcmtk_shows_the_film_as_we_do(tmp_path, tags):
  source = chest(**tags)
  source.save_as(tmp_path / "film.dcm", enforce_file_format=True)
  state = presentation_state(source, findings(), ALGORITHM)
  state.save_as(tmp_path / "gsps.dcm", enforce_file_format=True)
  out = tmp_path / "out.pgm"
  subprocess.run(
    ["dcmp2pgm", "-q", "-p", tmp_path / "gsps.dcm", tmp_path / "film.dcm", out],
    check=True,
  )
  theirs = np.asarray(Image.open(out), int)
  ours = np.asarray(film_of(source, max_pixels=MOST).grey, int)
  # DCMTK computes windows in integers.
  assert np.abs(theirs - ours).max() <= 1


def test_a_presentation_state_keeps_polarity_tables_and_pixels(tmp_path):
  entries = list(range(0, 8192, 2))
  source = chest(
    PhotometricInterpretation="MONOCHROME1", PixelSpacing=[0.4, 0.2],
    VOILUTSequence=table(0, entries, 16),
  )  # fmt: skip
  source = again(source, tmp_path / "film.dcm")
  assert isinstance(source.VOILUTSequence[0].LUTData, list)
  state = presentation_state(source, findings(), ALGORITHM)
  state = again(state, tmp_path / "gsps.dcm")
  assert state.PresentationLUTShape == "INVERSE"
  shown = state.SoftcopyVOILUTSequence[0].VOILUTSequence[0]
  assert shown["LUTData"].VR == "OW"
  # Over the whole range of 16 bits, because not all readers take 13.
  full = np.frombuffer(shown.LUTData, "<u2")
  assert np.abs(full - np.array(entries) * (65535 / 8191)).max() <= 0.5
  assert shown.LUTDescriptor[2] == 16
  area = state.DisplayedAreaSelectionSequence[0]
  assert list(area.PresentationPixelAspectRatio) == [20000, 10000]
  (drawn,) = state.GraphicAnnotationSequence
  assert drawn.TextObjectSequence[0].UnformattedTextValue == "Atelectasis 0.90"
  corners = np.reshape(drawn.GraphicObjectSequence[0].GraphicData, (-1, 2))
  assert corners.min(0).tolist() + corners.max(0).tolist() == list(BOX)
