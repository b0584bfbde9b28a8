"""What the objects say of the program that made them."""

from typing import Any

from pydicom.dataset import Dataset

from chexjax.dicom.objects.result import Algorithm
from chexjax.dicom.objects.uids import derived_uid

NAME = "chexjax"
# Series of one film's results, beside those of a study.
REPORT, PRESENTATION, CAPTURE, SEGMENTATION = 901, 902, 903, 904
_KINDS = {
  REPORT: "report",
  PRESENTATION: "boxes",
  CAPTURE: "heat maps",
  SEGMENTATION: "segmentation",
}


def common(
  reference: Dataset, algorithm: Algorithm, series: int
) -> dict[str, Any]:
  """Return the arguments that all of highdicom's objects take.

  Args:
    reference: of `reference_of`.
    algorithm: who made the predictions.
    series: number of the series, which tells the kind.
  """
  kind, film = _KINDS[series], str(reference.SOPInstanceUID)
  return {
    "series_instance_uid": derived_uid(film, algorithm, f"series of {kind}"),
    "series_number": series,
    "sop_instance_uid": derived_uid(film, algorithm, kind),
    "instance_number": 1,
    "manufacturer": NAME,
    "manufacturer_model_name": NAME,
    "software_versions": algorithm.version,
    "device_serial_number": algorithm.weights_sha256[:16],
    "series_description": f"{NAME} {kind}, research only, unverified",
  }
