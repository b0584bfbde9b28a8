"""Damaged films: a film or a sentence, never a traceback, a hang or a name."""

import pathlib
import warnings

import numpy as np
import pytest
from dicom_films import NAME, NUMBER, film, pydicom, ramp, table, uid, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chexjax.data.decoding import read_upright
from chexjax.data.headers import Header, read_header

PYDICOM = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
CR = PYDICOM / "dicomdirtests" / "77654033" / "CR1" / "6154"
HURRY = settings(
  max_examples=40, deadline=None, derandomize=True,
  suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
  """Films in several encodings."""
  folder = tmp_path_factory.mktemp("whole")
  tags = {
    "WindowCenter": [2000, 1000], "WindowWidth": [3000, 100],
    "PixelSpacing": [0.2, 0.1], "PixelPaddingValue": 0,
    "VOILUTSequence": table(0, np.arange(900)),
  }  # fmt: skip
  packed = film(**tags)
  packed.compress(uid.RLELossless)
  films = {
    "plain": film(**tags),
    "implicit": film(**tags, syntax=uid.ImplicitVRLittleEndian),
    "deflated": film(**tags, syntax=uid.DeflatedExplicitVRLittleEndian),
    "rle": packed,
    "colour": film(
      np.dstack([ramp(8).astype(np.uint8)] * 3), bits=8,
      PhotometricInterpretation="RGB", PlanarConfiguration=0,
    ),
  }  # fmt: skip
  paths = [write(dataset, folder / name) for name, dataset in films.items()]
  bare = write(film(**tags), folder / "bare", preamble=False)
  # Their paths, because hypothesis prints what it draws.
  return [*paths, bare, CR]


def survives(path):
  """Read a file both ways; return whether it is a film."""
  header = read_header(path)
  said = [header] if isinstance(header, str) else []
  try:
    grey = read_upright(path).grey
  except ValueError as error:
    said.append(str(error))
  else:
    assert isinstance(header, Header)
    assert grey.mode == "L"
  for sentence in said:
    assert len(sentence) > 8
    assert "\n" not in sentence
    assert NAME not in sentence
    assert NUMBER not in sentence
  return not said


@HURRY
@given(st.data())
def test_files_cut_anywhere(wholes, tmp_path, data):
  whole = data.draw(st.sampled_from(wholes)).read_bytes()
  path = tmp_path / "film"
  path.write_bytes(whole[: data.draw(st.integers(1, len(whole) - 1))])
  survives(path)


@HURRY
@given(st.data())
def test_bytes_that_change_in_the_header(wholes, tmp_path, data):
  changed = bytearray(data.draw(st.sampled_from(wholes)).read_bytes())
  for _ in range(data.draw(st.integers(1, 4))):
    at = data.draw(st.integers(0, min(len(changed), 3000) - 1))
    changed[at] = data.draw(st.integers(0, 255))
  path = tmp_path / "film"
  path.write_bytes(bytes(changed))
  survives(path)


TAGS = (
  "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
  "PixelRepresentation", "SamplesPerPixel", "NumberOfFrames", "WindowCenter",
  "WindowWidth", "RescaleSlope", "RescaleIntercept", "PixelSpacing",
  "PixelPaddingValue", "PhotometricInterpretation", "PatientOrientation",
  "ViewPosition", "VOILUTFunction", "SOPClassUID",
)  # fmt: skip
VALUES = (
  None, 0, 1, -1, 7, 8, 12, 65535, 2**31, "", "nan", "1e400", "x\\y", "0\\0",
  "RGB", "PALETTE COLOR", NAME,
)  # fmt: skip


@HURRY
@given(st.dictionaries(st.sampled_from(TAGS), st.sampled_from(VALUES),
                       min_size=1, max_size=3))  # fmt: skip
def test_tags_with_odd_values(tmp_path, odd):
  dataset = film(WindowCenter=9, WindowWidth=99, PixelSpacing=[1, 1])
  path = write(dataset, tmp_path / "film")
  for keyword, value in odd.items():
    if value is None:
      if keyword in dataset:
        del dataset[keyword]
      continue
    # As text, which is how a file may hold what pydicom would not write.
    tag = pydicom.datadict.tag_for_keyword(keyword)
    vr = pydicom.datadict.dictionary_VR(tag)
    number = isinstance(value, int) and 0 <= value < 65536
    if vr.startswith("US") and number:
      dataset.add_new(tag, "US", value)
    else:
      dataset.add_new(tag, "LO", str(value))
  with warnings.catch_warnings(action="ignore"):  # pydicom's, of what it writes
    write(dataset, path)
  survives(path)


def test_pydicoms_own_files_are_films_or_sentences():
  # Its odd files of every kind, most of them no radiographs.
  files = [p for p in sorted(PYDICOM.rglob("*")) if p.is_file()]
  films = {path.name for path in files if survives(path)}
  assert {"6154", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle.dcm"} <= films
  assert not films & {"CT_small.dcm", "MR_truncated.dcm", "DICOMDIR"}


def test_values_of_another_length_than_their_kind(wholes, tmp_path):
  # pydicom's error quotes the bytes.
  whole = wholes[0].read_bytes()
  path = tmp_path / "film"
  kinds = 0
  for kind in (b"US", b"CS", b"DS", b"UI", b"PN", b"LO", b"SQ"):
    at = whole.find(kind, 132)
    while at >= 0:
      path.write_bytes(whole[:at] + b"FD" + whole[at + 2 :])
      survives(path)
      kinds += 1
      at = whole.find(kind, at + 1)
  assert kinds > 20
