"""Which DICOM objects are films."""

from typing import Any

from chexjax.dicom.faults import FilmFault
from chexjax.dicom.fields import text_of, value_of

_DX = "1.2.840.10008.5.1.4.1.1.1.1"
_FOR_PROCESSING = f"{_DX}.1"
# Computed and digital radiographs, and what wraps a film as a picture.
_FILMS = {
  "1.2.840.10008.5.1.4.1.1.1",
  _DX,
  _FOR_PROCESSING,
  "1.2.840.10008.5.1.4.1.1.7",
  "1.2.840.10008.5.1.4.1.1.7.2",
  "1.2.840.10008.5.1.4.1.1.7.3",
  "1.2.840.10008.5.1.4.1.1.7.4",
  "1.2.840.10008.5.1.4.1.1.12.1",
  "1.2.840.10008.5.1.4.1.1.12.2",
}
_DIRECTORY = "1.2.840.10008.1.3.10"


def class_of(dataset: Any) -> str:
  """Return the UID of an object's class, empty if it has none.

  Args:
    dataset: a pydicom data set.
  """
  said = value_of(dataset, "SOPClassUID")
  meta = getattr(dataset, "file_meta", None) or {}
  return str(said or value_of(meta, "MediaStorageSOPClassUID") or "")


def class_name(dataset: Any) -> str:
  """Return the standard's name of a class, such as `CT Image Storage`.

  Args:
    dataset: a pydicom data set.
  """
  from pydicom.uid import UID

  uid = UID(class_of(dataset))
  if uid == _DIRECTORY:
    return "DICOMDIR"
  if not uid:
    return "object without a SOP Class UID"
  # A damaged UID may have swallowed what follows it.
  return str(uid.name) if uid.is_valid else "object of a damaged class"


def is_film(dataset: Any) -> bool:
  """Return whether an object is of a class that may hold a chest film.

  Classes of makers and ones newer than pydicom may, if they have pixels.

  Args:
    dataset: a pydicom data set.
  """
  from pydicom.uid import UID

  uid = UID(class_of(dataset))
  if uid in _FILMS:
    return True
  known = bool(uid) and uid.name != uid
  return not known and "Rows" in dataset


def check_class(dataset: Any) -> None:
  """Raise ValueError where an object is no film for viewing.

  Args:
    dataset: a pydicom data set.

  Raises:
    ValueError: it is of another class, or the detector's raw values.
  """
  if not is_film(dataset):
    raise FilmFault(f"is a DICOM {class_name(dataset)}, not a film")
  intent = text_of(dataset, "PresentationIntentType")
  if class_of(dataset) == _FOR_PROCESSING or intent == "FOR PROCESSING":
    raise FilmFault(
      "is a DICOM film FOR PROCESSING: the detector's raw values, not for "
      "viewing; give the film FOR PRESENTATION of the same exposure"
    )
