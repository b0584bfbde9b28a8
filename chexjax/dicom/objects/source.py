"""The film's header: what the objects say of it, and whose they are."""

import copy

from pydicom.dataset import Dataset

from chexjax.dicom.faults import FilmFault
from chexjax.dicom.fields import numbers_of

# Patient, study, and what tells two patients of the same name apart. They are
# copied as they are: a name that breaks a rule of DICOM is the film's own.
_IDENTITY = (
  "PatientName",
  "PatientID",
  "IssuerOfPatientID",
  "PatientBirthDate",
  "PatientSex",
  "OtherPatientIDsSequence",
  "PatientSpeciesDescription",
  "PatientIdentityRemoved",
  "DeidentificationMethod",
  "DeidentificationMethodCodeSequence",
  "StudyDate",
  "StudyTime",
  "AccessionNumber",
  "IssuerOfAccessionNumberSequence",
  "ReferringPhysicianName",
  "StudyID",
  "StudyDescription",
)
# Type 2: they must be there, and may be empty.
_NEEDED = (
  "PatientName",
  "PatientID",
  "PatientBirthDate",
  "PatientSex",
  "StudyDate",
  "StudyTime",
  "AccessionNumber",
  "ReferringPhysicianName",
  "StudyID",
)
_REFERENCED = (
  "SOPClassUID",
  "SOPInstanceUID",
  "StudyInstanceUID",
  "SeriesInstanceUID",
)
_PIXELS = (
  "Rows",
  "Columns",
  "SamplesPerPixel",
  "PhotometricInterpretation",
  "Modality",
)


def reference_of(film: Dataset) -> Dataset:
  """Return the film's header as far as the objects refer to it.

  Patient and study are empty in it: the objects are built without them, so
  that no message about them can be written, and get them by `copy_identity`.

  Args:
    film: as it was read, with or without pixels.

  Raises:
    ValueError: an identifier or a size that objects refer to is absent.
  """
  absent = [k for k in (*_REFERENCED, "Rows", "Columns") if not film.get(k)]
  if absent:
    raise FilmFault(
      f"has no {', '.join(absent)}, which DICOM results must refer to"
    )
  header = Dataset()
  for keyword in (*_REFERENCED, *_PIXELS):
    if keyword in film:
      header[keyword] = film[keyword]
  header.SamplesPerPixel = film.get("SamplesPerPixel", 1)
  for keyword in _NEEDED:
    setattr(header, keyword, "")
  for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
    # 0\0 stands for unknown in films of old scanners.
    sides = numbers_of(film, keyword)
    if len(sides) == 2 and min(sides) > 0:
      header[keyword] = film[keyword]
  return header


def aspect_of(film: Dataset) -> tuple[float, float]:
  """Return how high and how wide a pixel is, 1 and 1 where nothing says it."""
  for keyword in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing"):
    sides = numbers_of(film, keyword)
    if len(sides) == 2 and min(sides) > 0:
      return sides[0], sides[1]
  return 1.0, 1.0


def copy_identity(film: Dataset, made: Dataset, *, texts: str = "") -> None:
  """Give an object the patient and the study of its film.

  Args:
    film: as it was read.
    made: the object; changed in place.
    texts: those of the object that the film's character set may lack.
  """
  for keyword in _IDENTITY:
    if keyword in film:
      made[keyword] = copy.deepcopy(film[keyword])
  for keyword in _NEEDED:
    if keyword not in made:
      setattr(made, keyword, "")
  made.StudyInstanceUID = film.StudyInstanceUID
  if made.Modality in ("OT", "PR"):
    # The side of a paired part of the body: what the film says, else unknown.
    made.Laterality = film.get("Laterality") or ""
  if not texts.isascii():
    made.SpecificCharacterSet = "ISO_IR 192"
  elif film.get("SpecificCharacterSet"):
    made.SpecificCharacterSet = film.SpecificCharacterSet
  elif "SpecificCharacterSet" in made:
    del made.SpecificCharacterSet
