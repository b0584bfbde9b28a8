"""A Comprehensive 3D SR of a film's findings (TID 1500)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from chexjax.dicom.objects.equipment import NAME, REPORT, common
from chexjax.dicom.objects.finding_codes import CodedFinding, code_of
from chexjax.dicom.objects.result import Algorithm, Finding
from chexjax.dicom.objects.source import copy_identity, reference_of
from chexjax.dicom.objects.uids import derived_uid, device_uid

_BOUNDED_BY = Code("75958009", "SCT", "Bounded by")
_PRESENCE = Code("121052", "DCM", "Presence of property")
_PRESENT = Code("121053", "DCM", "Present")
_ABSENT = Code("121054", "DCM", "Absent")
_NO_UNITS = Code("1", "UCUM", "no units")
_IMAGING = Code("363679005", "SCT", "Imaging procedure")
Group = (
  sr.PlanarROIMeasurementsAndQualitativeEvaluations
  | sr.MeasurementsAndQualitativeEvaluations
)


def structured_report(
  film: Dataset, findings: Sequence[Finding], algorithm: Algorithm
) -> Dataset:
  """Return a report with score, decision and box of every finding.

  A box is a closed polyline in the film's stored pixels (TID 1410); a finding
  without one refers to the whole film (TID 1501). The document is preliminary
  and unverified.

  Args:
    film: as it was read, with or without pixels.
    findings: at least one.
    algorithm: who made the predictions.

  Raises:
    ValueError: there is no finding, or the film lacks an identifier.
  """
  reference = reference_of(film)
  named = [(finding, code_of(finding.name)) for finding in findings]
  groups = [
    _group(reference, finding, code, algorithm) for finding, code in named
  ]
  content = sr.MeasurementReport(
    observation_context=_observer(algorithm),
    procedure_reported=_IMAGING,
    imaging_measurements=groups,
    title=codes.DCM.ImagingMeasurementReport,
  )
  report = sr.Comprehensive3DSR(
    evidence=[reference],
    content=content,
    is_complete=True,
    is_final=False,
    is_verified=False,
    **common(reference, algorithm, REPORT),
  )
  texts = "".join(code.name.meaning for _, code in named)
  copy_identity(film, report, texts=texts + "".join(algorithm.parameters))
  _name_schemes(report, [code for _, code in named])
  return report


def _observer(algorithm: Algorithm) -> sr.ObservationContext:
  device = sr.DeviceObserverIdentifyingAttributes(
    uid=device_uid(algorithm),
    name=NAME,
    manufacturer_name=NAME,
    model_name=NAME,
    serial_number=algorithm.weights_sha256[:16],
  )
  return sr.ObservationContext(
    observer_device_context=sr.ObserverContext(
      observer_type=codes.DCM.Device, observer_identifying_attributes=device
    )
  )


def _group(
  reference: Dataset,
  finding: Finding,
  code: CodedFinding,
  algorithm: Algorithm,
) -> Group:
  """Return what is said of one finding."""
  uid = str(reference.SOPInstanceUID)
  evaluations = []
  if finding.predicted is not None:
    value = _PRESENT if finding.predicted else _ABSENT
    evaluations = [sr.QualitativeEvaluation(_PRESENCE, value)]
  said: dict[str, Any] = {
    "tracking_identifier": sr.TrackingIdentifier(
      uid=derived_uid(uid, algorithm, f"finding {finding.name}"),
      identifier=code.name.meaning,
    ),
    "finding_type": code.name,
    "finding_sites": [sr.FindingSite(code.site)] if code.site else None,
    "algorithm_id": sr.AlgorithmIdentification(
      name=NAME,
      version=algorithm.version,
      parameters=(*algorithm.parameters, *finding.settings),
    ),
    "measurements": [
      sr.Measurement(
        name=codes.DCM.Probability,
        value=round(finding.probability, 6),
        unit=_NO_UNITS,
      )
    ],
    "qualitative_evaluations": evaluations,
  }
  classes = str(reference.SOPClassUID), uid
  if finding.box is None:
    images = [sr.SourceImageForMeasurementGroup(*classes)]
    return sr.MeasurementsAndQualitativeEvaluations(
      source_images=images, **said
    )
  x1, y1, x2, y2 = finding.box
  corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
  region = sr.ImageRegion(
    graphic_type=sr.GraphicTypeValues.POLYLINE,
    graphic_data=np.array(corners, np.float32),
    source_image=sr.SourceImageForRegion(*classes),
  )
  return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
    referenced_region=region, geometric_purpose=_BOUNDED_BY, **said
  )


def _name_schemes(report: Dataset, used: Sequence[CodedFinding]) -> None:
  """Say who answers for the schemes that are not DICOM's own."""
  used_schemes = {code.name.scheme_designator for code in used}
  local = sorted(s for s in used_schemes if s.startswith("99"))
  if not local:
    return
  report.CodingSchemeIdentificationSequence = [
    CodingSchemeIdentificationItem(
      designator=scheme,
      name="Findings as the model names them",
      responsible_organization=NAME,
    )
    for scheme in local
  ]
