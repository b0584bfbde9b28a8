"""Films in DICOM files: what they are, and the 8 bits that a network knows.

- `recognition`: which files are DICOM, by their content
- `datasets`: a file as a dataset, with every fault as a sentence; `quiet`: what
  pydicom and GDCM say meanwhile
- `classes`: which objects are films; `view`: frontal, lateral or not known
- `pixel_module`: sizes and depths, checked; `pixel_data`, `codestream`: what
  lies in the file, before it is decoded; `decoded`: the stored values
- `grey_stages`, `lookup_tables`: from stored values to 8 bits
- `placement`: turned upright, with square pixels, and back
- `film_header`: a header, checked; `film`: all of this, one after the other
- `faults`: the error that all of them raise
- `identity`: the patient's name and ID, for whoever asks for them

Everything but `recognition` and `placement` needs the extra `dicom`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
  from chexjax.dicom.datasets import open_dataset
  from chexjax.dicom.film import DicomFilm, film_of
  from chexjax.dicom.identity import identity_of
  from chexjax.dicom.placement import Placement
  from chexjax.dicom.recognition import is_dicom

_PLACES = {
  "DicomFilm": "film",
  "Placement": "placement",
  "film_of": "film",
  "identity_of": "identity",
  "is_dicom": "recognition",
  "open_dataset": "datasets",
}
__all__ = [
  "DicomFilm",
  "Placement",
  "film_of",
  "identity_of",
  "is_dicom",
  "open_dataset",
]


def __getattr__(name: str) -> Any:
  """Import a name of this room when it is first used (PEP 562)."""
  if name not in _PLACES:
    raise AttributeError(f"module 'chexjax.dicom' has no attribute {name!r}")
  module = importlib.import_module(f"chexjax.dicom.{_PLACES[name]}")
  return getattr(module, name)


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})
