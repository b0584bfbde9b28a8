"""A fractional segmentation: heat maps of a film as numbers."""

from collections.abc import Sequence

import highdicom as hd
import numpy as np
from highdicom import seg
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian

from chexjax.dicom.objects.equipment import NAME, SEGMENTATION, common
from chexjax.dicom.objects.finding_codes import code_of
from chexjax.dicom.objects.result import Algorithm
from chexjax.dicom.objects.source import copy_identity, reference_of

_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
_FAMILY = Code("123109", "DCM", "Artificial Intelligence")


def segmentation(
  film: Dataset, maps: Sequence[tuple[str, np.ndarray]], algorithm: Algorithm
) -> Dataset:
  """Return a segment for every map, of the film's stored size.

  A map is stretched from its own lowest to its own highest value: it says where
  a finding is, not how probable.

  Args:
    film: as it was read, with or without pixels.
    maps: finding and `[Rows, Columns]` finite, at least one.
    algorithm: who made the predictions.

  Raises:
    ValueError: there is no map, one has another size, or the film lacks an
      identifier.
  """
  reference = reference_of(film)
  size = reference.Rows, reference.Columns
  wrong = [name for name, heat in maps if heat.shape != size]
  if wrong or not maps:
    raise ValueError(f"want maps of {size}, at least one; wrong: {wrong}")
  reference.SamplesPerPixel = 1
  identification = hd.AlgorithmIdentificationSequence(
    name=NAME,
    family=_FAMILY,
    version=algorithm.version,
    source=NAME,
    parameters={
      "weights": algorithm.weights[:64],
      "sha256": algorithm.weights_sha256,
    },
  )
  described = []
  for number, (name, _) in enumerate(maps, 1):
    code = code_of(name)
    described.append(
      seg.SegmentDescription(
        segment_number=number,
        segment_label=code.name.meaning,
        segmented_property_category=_ABNORMAL,
        segmented_property_type=code.name,
        algorithm_type=seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=identification,
        anatomic_regions=[code.site] if code.site else None,
      )
    )
  made = seg.Segmentation(
    source_images=[reference],
    pixel_array=np.stack([_stretched(heat) for _, heat in maps], -1)[None],
    segmentation_type=seg.SegmentationTypeValues.FRACTIONAL,
    fractional_type=seg.SegmentationFractionalTypeValues.PROBABILITY,
    segment_descriptions=described,
    content_description="Heat maps, each from its lowest to its highest value",
    content_label="CHEXJAX",
    omit_empty_frames=False,
    transfer_syntax_uid=ExplicitVRLittleEndian,
    **common(reference, algorithm, SEGMENTATION),
  )
  made.PatientOrientation = film.get("PatientOrientation") or ""
  texts = "".join(name for name, _ in maps) + algorithm.weights
  copy_identity(film, made, texts=texts)
  return made


def _stretched(heat: np.ndarray) -> np.ndarray:
  heat = np.asarray(heat, np.float32)
  low, high = float(heat.min()), float(heat.max())
  if high <= low:
    return np.zeros_like(heat)
  return np.clip((heat - low) / (high - low), 0, 1)
