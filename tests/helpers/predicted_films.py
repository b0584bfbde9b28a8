"""A film with predictions, and the objects of them."""

import numpy as np
from dicom_films import film, pydicom, uid

from chexjax.dicom.objects.presentation_state import presentation_state
from chexjax.dicom.objects.result import Algorithm, Finding
from chexjax.dicom.objects.secondary_capture import secondary_capture
from chexjax.dicom.objects.segmentation import segmentation
from chexjax.dicom.objects.structured_report import structured_report
from chexjax.types import FINDINGS

ALGORITHM = Algorithm("1.2", "a run", "ab" * 32, ("Preset: paper",), "cuts")
BOX = (8.0, 6.0, 40.5, 30.0)
UIDS = ("StudyInstanceUID", "SeriesInstanceUID")


def chest(values=None, **tags):
  tags = {k: uid.generate_uid(entropy_srcs=[k]) for k in UIDS} | tags
  return film(values, **tags)


def findings(names=FINDINGS):
  return [
    Finding(
      name, 0.9 - 0.05 * i, [True, False, None][i % 3],
      BOX if i in (0, 3) else None, i == 0, ("Cut: 0.5",),
    )
    for i, name in enumerate(names)
  ]  # fmt: skip


def all_of(source, names=FINDINGS):
  heat = np.add.outer(np.arange(source.Rows), np.arange(source.Columns))
  return {
    901: structured_report(source, findings(names), ALGORITHM),
    902: presentation_state(source, findings(names), ALGORITHM),
    903: secondary_capture(
      source, np.full((30, 40, 3), 90, np.uint8), ALGORITHM
    ),
    904: segmentation(source, [(names[0], heat), (names[1], heat)], ALGORITHM),
  }


def again(dataset, path):
  dataset.save_as(path, enforce_file_format=True)
  return pydicom.dcmread(path)
