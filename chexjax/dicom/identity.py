"""Whose film it is, for whoever asks for it; nothing else reads these."""

import os
from typing import Any

from chexjax.dicom.datasets import open_dataset
from chexjax.dicom.fields import value_of
from chexjax.dicom.quiet import quiet

_KEYWORDS = {
  "PatientName": "patient_name",
  "PatientID": "patient_id",
  "AccessionNumber": "accession_number",
  "StudyInstanceUID": "study_instance_uid",
  "SeriesInstanceUID": "series_instance_uid",
  "SOPInstanceUID": "sop_instance_uid",
}


def identity_of(path: str | os.PathLike[str]) -> dict[str, str]:
  """Return the names and numbers that say whose film it is.

  Args:
    path: a DICOM file.

  Returns:
    `patient_name`, `patient_id`, `accession_number`, `study_instance_uid`,
    `series_instance_uid` and `sop_instance_uid`, empty where absent.

  Raises:
    ValueError: the file cannot be read; names it.
  """
  dataset = open_dataset(path)
  return {name: _text(dataset, word) for word, name in _KEYWORDS.items()}


def _text(dataset: Any, keyword: str) -> str:
  with quiet():
    value = value_of(dataset, keyword)
    return "" if value is None else str(value).strip()
