"""A Secondary Capture of a picture that shows a film's predictions."""

import highdicom as hd
import numpy as np
from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from chexjax.dicom.objects.equipment import CAPTURE, common
from chexjax.dicom.objects.result import Algorithm
from chexjax.dicom.objects.source import copy_identity, reference_of


def secondary_capture(
  film: Dataset, picture: np.ndarray, algorithm: Algorithm
) -> Dataset:
  """Return the picture as a colour image of the film's study.

  Args:
    film: as it was read, with or without pixels.
    picture: `[H, W, 3]` uint8, upright; names no patient.
    algorithm: who made the predictions.

  Raises:
    ValueError: the picture has another shape or type, or the film lacks an
      identifier.
  """
  if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
    raise ValueError(
      f"want a picture [H, W, 3] uint8, got {list(picture.shape)} "
      f"{picture.dtype}"
    )
  reference = reference_of(film)
  said = common(reference, algorithm, CAPTURE)
  capture = SCImage.from_ref_dataset(
    ref_dataset=reference,
    pixel_array=picture,
    photometric_interpretation="RGB",
    bits_allocated=8,
    coordinate_system=hd.CoordinateSystemNames.PATIENT,
    # Several copies of the film side by side have no direction as a whole.
    patient_orientation=("L", "F"),
    transfer_syntax_uid=ExplicitVRLittleEndian,
    **said,
  )
  capture["PatientOrientation"].value = ""
  capture.ImageType = ["DERIVED", "SECONDARY"]
  capture.ConversionType = "WSD"
  capture.DerivationDescription = "Heat maps and boxes of chexjax over the film"
  if film.get("BurnedInAnnotation"):
    capture.BurnedInAnnotation = film.BurnedInAnnotation
  source = Dataset()
  source.ReferencedSOPClassUID = film.SOPClassUID
  source.ReferencedSOPInstanceUID = film.SOPInstanceUID
  capture.SourceImageSequence = [source]
  copy_identity(film, capture)
  return capture
