"""Frontal or lateral, by what headers say."""

import pytest
from dicom_films import film, pydicom

from chexjax.dicom.view import view_of


def code(value):
  item = pydicom.Dataset()
  item.CodeValue = value
  return [item]


BLANK = {"ViewPosition": None, "PatientOrientation": None}


@pytest.mark.parametrize(
  ("tags", "view"),
  [
    ({"ViewPosition": "PA"}, "frontal"),
    ({"ViewPosition": "AP"}, "frontal"),
    ({"ViewPosition": "LLD"}, "frontal"),
    ({"ViewPosition": "LL"}, "lateral"),
    ({"ViewPosition": "RL"}, "lateral"),
    ({"ViewPosition": "LATERAL"}, "lateral"),
    ({"ViewCodeSequence": code("399067008")}, "lateral"),
    ({"ViewCodeSequence": code("272479007")}, "frontal"),
    ({"ViewCodeSequence": code("R-10228")}, "lateral"),
    ({"ViewPosition": "PA", "ViewCodeSequence": code("399067008")}, "frontal"),
    ({"SeriesDescription": "Thorax LAT"}, "lateral"),
    ({"SeriesDescription": "CHEST_LATERAL"}, "lateral"),
    ({"SeriesDescription": "CHEST PA/LAT"}, "unknown"),
    ({"SeriesDescription": "lateral decubitus"}, "unknown"),
    ({"SeriesDescription": "PLATE"}, "unknown"),
    ({"ProtocolName": "Lat", "PatientOrientation": ["L", "F"]}, "lateral"),
    ({"PatientOrientation": ["A", "F"]}, "lateral"),
    ({"PatientOrientation": ["P", "F"]}, "lateral"),
    ({"PatientOrientation": ["R", "F"]}, "frontal"),
    ({"PatientOrientation": ["L"]}, "unknown"),
    ({"ViewPosition": "YES"}, "unknown"),
    ({}, "unknown"),
  ],
)
def test_the_view(tags, view):
  found, where = view_of(film(**(BLANK | tags)))
  assert found == view
  assert bool(where) == (view != "unknown")
