"""A Grayscale Softcopy Presentation State with a film's boxes."""

from collections.abc import Sequence
from typing import Any

import highdicom as hd
import numpy as np
from highdicom import pr
from pydicom.dataset import Dataset

from chexjax.dicom.objects.display import copy_display
from chexjax.dicom.objects.equipment import PRESENTATION, common
from chexjax.dicom.objects.result import Algorithm, Finding
from chexjax.dicom.objects.source import copy_identity, reference_of
from chexjax.dicom.objects.uids import derived_uid

_LAYER = "CHEXJAX"


def presentation_state(
  film: Dataset,
  findings: Sequence[Finding],
  algorithm: Algorithm,
) -> Dataset:
  """Return a layer of boxes and labels over the film, which can be hidden.

  A presentation state replaces the film's own display: polarity, Modality LUT,
  and VOI LUT or else the first window are therefore those of the film.

  Args:
    film: as it was read, grey; with pixels where `needs_pixels` says so.
    findings: those that are `drawn` have a box.
    algorithm: who made the predictions.

  Raises:
    ValueError: the film is a colour image, or lacks an identifier.
  """
  reference = reference_of(film)
  if reference.SamplesPerPixel != 1:
    raise ValueError("a colour image has no grayscale presentation state")
  inverse = film.get("PhotometricInterpretation") == "MONOCHROME1"
  layer = pr.GraphicLayer(
    layer_name=_LAYER,
    order=1,
    description="Boxes of chexjax, research only, unverified",
  )
  state = pr.GrayscaleSoftcopyPresentationState(
    referenced_images=[reference],
    content_label=_LAYER,
    content_description="Boxes of chexjax, research only, unverified",
    graphic_layers=[layer],
    graphic_annotations=_annotations(reference, findings, algorithm, layer),
    presentation_lut_transformation=hd.PresentationLUTTransformation(
      "INVERSE" if inverse else "IDENTITY"
    ),
    concept_name=None,
    **common(reference, algorithm, PRESENTATION),
  )
  texts = "".join(finding.name for finding in findings)
  copy_identity(film, state, texts=texts)
  copy_display(film, state)
  return state


def _annotations(
  reference: Dataset,
  findings: Sequence[Finding],
  algorithm: Algorithm,
  layer: pr.GraphicLayer,
) -> list[pr.GraphicAnnotation]:
  """Return a box and its label for every finding that is drawn."""
  made = []
  boxed = [(f, f.box) for f in findings if f.drawn and f.box is not None]
  for number, (finding, (x1, y1, x2, y2)) in enumerate(boxed):
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    tracked: dict[str, Any] = {
      "tracking_id": finding.name[:64],
      "tracking_uid": derived_uid(
        str(reference.SOPInstanceUID), algorithm, f"finding {finding.name}"
      ),
    }
    box = pr.GraphicObject(
      graphic_type=pr.GraphicTypeValues.POLYLINE,
      graphic_data=np.array(corners, np.float32),
      units=pr.AnnotationUnitsValues.PIXEL,
      **tracked,
    )
    label = pr.TextObject(
      text_value=finding.label,
      # Labels of boxes on the same place would cover each other.
      anchor_point=(x1, y2 if number % 2 else y1),
      anchor_point_visible=False,
      units=pr.AnnotationUnitsValues.PIXEL,
      **tracked,
    )
    made.append(
      pr.GraphicAnnotation(
        referenced_images=[reference],
        graphic_layer=layer,
        graphic_objects=[box],
        text_objects=[label],
      )
    )
  return made
