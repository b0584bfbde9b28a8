"""The objects of a film's predictions, written, read and judged by others."""

import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("highdicom")
from dicom_films import NAME, NUMBER, table
from predicted_films import (
  ALGORITHM,
  BOX,
  UIDS,
  again,
  all_of,
  chest,
  findings,
)

from chexjax.dicom.objects.finding_codes import LOCAL_SCHEME, code_of
from chexjax.dicom.objects.presentation_state import presentation_state
from chexjax.dicom.objects.result import Algorithm
from chexjax.dicom.objects.secondary_capture import secondary_capture
from chexjax.dicom.objects.segmentation import segmentation
from chexjax.dicom.objects.structured_report import structured_report
from chexjax.dicom.quiet import quiet
from chexjax.types import FINDINGS


def items(dataset, meaning):
  """Yields the content items of a report that have a concept, in order."""
  for item in dataset.get("ContentSequence", []):
    name = item.get("ConceptNameCodeSequence")
    if name and name[0].CodeMeaning == meaning:
      yield item
    yield from items(item, meaning)


def test_the_report_says_what_is_predicted(tmp_path):
  source = chest()
  report = again(all_of(source)[901], tmp_path / "sr.dcm")
  named = [i.ConceptCodeSequence[0] for i in items(report, "Finding")]
  assert len({(c.CodingSchemeDesignator, c.CodeValue) for c in named}) == 14
  effusion = named[FINDINGS.index("Effusion")]
  assert effusion.CodeMeaning == "Pleural effusion"
  scores = [
    float(i.MeasuredValueSequence[0].NumericValue)
    for i in items(report, "Probability")
  ]
  assert scores == pytest.approx([f.probability for f in findings()])
  presence = [
    i.ConceptCodeSequence[0].CodeMeaning
    for i in items(report, "Presence of property")
  ]
  # A finding that nobody has chosen a cut for is neither.
  assert presence[:4] == ["Present", "Absent", "Present", "Absent"]
  boxes = list(items(report, "Image Region"))
  x1, y1, x2, y2 = BOX
  assert len(boxes) == 2
  assert boxes[0].GraphicType == "POLYLINE"
  assert list(boxes[0].GraphicData) == [x1, y1, x2, y1, x2, y2, x1, y2, x1, y1]
  said = [i.TextValue for i in items(report, "Algorithm Parameters")]
  assert f"SHA-256 of the weights: {'ab' * 32}" in said
  assert any("uncalibrated" in text for text in said)
  assert {"Preset: paper", "Cut: 0.5"} <= set(said)
  assert report.VerificationFlag == "UNVERIFIED"
  assert report.PreliminaryFlag == "PRELIMINARY"
  series = report.CurrentRequestedProcedureEvidenceSequence[0]
  evidence = series.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
  assert evidence.ReferencedSOPInstanceUID == source.SOPInstanceUID


def test_a_second_run_makes_the_same_uids_and_other_weights_others():
  source = chest()
  one, two = all_of(source), all_of(source)
  uids = {made.SOPInstanceUID for made in one.values()}
  series = {made.SeriesInstanceUID for made in one.values()}
  assert len(uids | series) == 8
  for number, made in one.items():
    assert made.SOPInstanceUID == two[number].SOPInstanceUID
    assert made.SeriesInstanceUID == two[number].SeriesInstanceUID
    assert made.SeriesNumber == number
    assert made.SeriesDescription.endswith("research only, unverified")
    assert made.StudyInstanceUID == source.StudyInstanceUID
  others = (
    Algorithm("1.2", "a run", "cd" * 32, ("Preset: paper",), "cuts"),
    Algorithm("1.2", "a run", "ab" * 32, ("Preset: paper",), "other cuts"),
    Algorithm("1.3", "a run", "ab" * 32, ("Preset: paper",), "cuts"),
  )
  for other in others:
    made = structured_report(source, findings(), other)
    assert made.SOPInstanceUID not in uids


@pytest.mark.parametrize(
  ("charset", "name"),
  [
    ("ISO_IR 100", "Müller^Jörg"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ("ISO_IR 192", "Иванов^Пётр"),
  ],
)
@pytest.mark.parametrize("names", [FINDINGS, ("Тень", "Own/Finding")])
def test_the_patient_is_the_films(tmp_path, charset, name, names):
  source = chest(
    SpecificCharacterSet=charset, PatientName=name, PatientSex="X",
    PatientBirthDate="19010203", AccessionNumber="A1", StudyID="S",
    StudyDate="20010101", IssuerOfPatientID="Hospital",
  )  # fmt: skip
  source = again(source, tmp_path / "film.dcm")
  for number, made in all_of(source, names).items():
    read = again(made, tmp_path / f"{number}.dcm")
    assert str(read.PatientName).replace("=", "") == name.replace("=", "")
    for keyword in (
      "PatientID", "PatientSex", "PatientBirthDate", "AccessionNumber",
      "StudyID", "StudyDate", "IssuerOfPatientID",
    ):  # fmt: skip
      assert read[keyword].value == source[keyword].value
    if number == 901:
      coded = [i.ConceptCodeSequence[0] for i in items(read, "Finding")]
      assert names[0] == FINDINGS[0] or coded[0].CodeMeaning == "Тень"


def test_what_is_absent_is_there_and_empty():
  # As in Google's copy of NIH's films.
  source = chest(PatientName=None, PatientID=None)
  for made in all_of(source).values():
    for keyword in (
      "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
      "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
      "ReferringPhysicianName",
    ):  # fmt: skip
      assert keyword in made
      assert not made[keyword].value


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", *UIDS])
def test_a_film_that_cannot_be_referred_to_is_refused(keyword):
  source = chest(**{keyword: None})
  with pytest.raises(ValueError, match=f"has no {keyword}"):
    structured_report(source, findings(), ALGORITHM)


def test_codes_of_findings():
  coded = {code_of(name).name for name in FINDINGS}
  assert len(coded) == 14
  assert all(code.scheme_designator != LOCAL_SCHEME for code in coded)
  assert code_of("Pleural_Thickening").site.value == "3120008"
  names = (
    "Fracture",
    "fracture ",
    "Nodule/Mass",
    "é" * 99,
    "x" * 17,
    "a\\b",
    "",
  )
  own = [code_of(name).name for name in names]
  assert len({code.value for code in own}) == len(names)
  for code in own:
    assert code.scheme_designator == LOCAL_SCHEME
    assert 0 < len(code.value) <= 16
    assert 0 < len(code.meaning) <= 64
    assert "\\" not in code.value + code.meaning


def test_a_colour_image_has_no_presentation_state():
  source = chest(
    np.zeros((8, 8, 3), np.uint8), bits=8, PhotometricInterpretation="RGB"
  )
  with pytest.raises(ValueError, match="colour"):
    presentation_state(source, findings(), ALGORITHM)


@pytest.mark.parametrize("spacing", [None, [0, 0], [0.2, 0.3]])
def test_a_segmentation_has_the_map_in_the_films_pixels(tmp_path, spacing):
  source = chest(PixelSpacing=spacing)
  heat = np.zeros((source.Rows, source.Columns))
  heat[10:20, 30:50] = 0.02
  made = segmentation(source, [("Mass", heat), ("Edema", heat * 0)], ALGORITHM)
  made = again(made, tmp_path / "seg.dcm")
  # A map is stretched; one that is flat stays empty.
  assert (made.pixel_array[0] == 255 * (heat > 0)).all()
  assert not made.pixel_array[1].any()
  found = [e.value for e in made.iterall() if e.keyword == "PixelSpacing"]
  assert found == ([] if not spacing or not any(spacing) else [spacing])
  with pytest.raises(ValueError, match="wrong: \\['Mass'\\]"):
    segmentation(source, [("Mass", heat.T)], ALGORITHM)


def test_a_picture_of_another_kind_is_refused():
  with pytest.raises(ValueError, match="want a picture"):
    secondary_capture(chest(), np.zeros((4, 4), np.uint8), ALGORITHM)


@pytest.mark.skipif(
  shutil.which("dciodvfy") is None,
  reason="no dciodvfy: apt-get install dicom3tools",
)
@pytest.mark.parametrize(
  "tags",
  [
    {},
    {"PixelSpacing": [0, 0], "PatientName": None, "PatientOrientation": None},
    {"WindowCenter": 9, "WindowWidth": 9, "ImagerPixelSpacing": [0.1, 0.1]},
    {"VOILUTSequence": table(0, range(4096), 12)},
  ],
)
def test_dciodvfy_finds_no_error(tmp_path, tags):
  for number, made in all_of(chest(**tags), ("Mass", "Own finding")).items():
    path = tmp_path / f"{number}.dcm"
    made.save_as(path, enforce_file_format=True)
    done = subprocess.run(["dciodvfy", path], capture_output=True, text=True)
    said = (done.stdout + done.stderr).splitlines()
    assert not [line for line in said if line.startswith("Error")]


def test_no_library_is_told_the_patient(caplog, recwarn):
  # Highdicom warns of names that it takes for damaged, and quotes them.
  with quiet():
    all_of(chest(PatientName="A=B=C=D=E", PatientSex="female"))
  assert not caplog.records
  assert not [w for w in recwarn if NUMBER in str(w) or NAME in str(w)]
