"""Whether a film is a frontal or a lateral view, by its header."""

import re
from typing import Any, Literal

from chexjax.dicom.fields import items_of, text_of, value_of

View = Literal["frontal", "lateral", "unknown"]

# Values of View Position. A decubitus (LLD, RLD) is a frontal view of a patient
# who lies on a side.
_FRONTAL = {"PA", "AP", "LLD", "RLD"}
_LATERAL = {"LL", "RL", "LAT", "LATERAL", "L LAT", "R LAT", "LLAT", "RLAT"}
# Codes of CID 4010, in SNOMED CT and in the older form that old files have.
_CODES: dict[str, View] = {
  "399348003": "frontal",
  "272479007": "frontal",
  "399033003": "frontal",
  "R-10206": "frontal",
  "R-10214": "frontal",
  "399067008": "lateral",
  "399173006": "lateral",
  "399198007": "lateral",
  "R-10228": "lateral",
  "R-10230": "lateral",
  "R-10232": "lateral",
}
# Texts that people and machines write, in this order.
_TEXTS = (
  "SeriesDescription",
  "AcquisitionDeviceProcessingDescription",
  "ProtocolName",
  "PerformedProcedureStepDescription",
)
_SAYS_LATERAL = re.compile(r"\bLAT(ERAL)?\b")
_SAYS_FRONTAL = re.compile(r"\b(PA|AP|FRONTAL|DECUB\w*)\b")


def view_of(dataset: Any) -> tuple[View, str]:
  """Return a film's view, and which attribute says so.

  View Position first, then View Code Sequence, then descriptions that say
  lateral and not frontal, then Patient Orientation.

  Args:
    dataset: a pydicom data set.

  Returns:
    The view, and the name of the attribute, empty where none says it.
  """
  position = text_of(dataset, "ViewPosition")
  words = set(position.replace("_", " ").split())
  if position in _LATERAL or words & {"LAT", "LATERAL"}:
    return "lateral", "View Position"
  if words & _FRONTAL:
    return "frontal", "View Position"
  for item in items_of(dataset, "ViewCodeSequence"):
    if view := _CODES.get(text_of(item, "CodeValue")):
      return view, "View Code Sequence"
  for keyword in _TEXTS:
    text = text_of(dataset, keyword).replace("_", " ")
    if _SAYS_LATERAL.search(text) and not _SAYS_FRONTAL.search(text):
      return "lateral", _spaced(keyword)
  letters = {direction[:1] for direction in orientation_of(dataset)}
  if letters & {"A", "P"}:
    return "lateral", "Patient Orientation"
  if len(letters) == 2 and letters <= set("LRHF"):
    return "frontal", "Patient Orientation"
  return "unknown", ""


def orientation_of(dataset: Any) -> tuple[str, ...]:
  """Return Patient Orientation: where rows and columns go to, or nothing.

  Args:
    dataset: a pydicom data set.
  """
  said = value_of(dataset, "PatientOrientation")
  if said is None or isinstance(said, str):
    said = str(said or "").split("\\")
  ways = tuple(str(way).strip().upper() for way in said)
  return ways if len(ways) == 2 and all(ways) else ()


def _spaced(keyword: str) -> str:
  return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", keyword)
