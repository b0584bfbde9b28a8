"""A Grayscale Softcopy Presentation State with a film's boxes."""

import copy
from collections.abc import Sequence
from typing import Any

import highdicom as hd
import numpy as np
from highdicom import pr
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from chexjax.dicom.objects.equipment import PRESENTATION, common
from chexjax.dicom.objects.result import Algorithm, Finding
from chexjax.dicom.objects.source import aspect_of, copy_identity, reference_of
from chexjax.dicom.objects.uids import derived_uid

_LAYER = "CHEXJAX"
_MODALITY = ("RescaleSlope", "RescaleIntercept", "RescaleType")
_WINDOW = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation")


def presentation_state(
  film: Dataset,
  findings: Sequence[Finding],
  algorithm: Algorithm,
  *,
  window: tuple[float, float] | None = None,
) -> Dataset:
  """Return a layer of boxes and labels over the film, which can be hidden.

  A presentation state replaces the film's own display: polarity, Modality LUT,
  and VOI LUT or else the first window are therefore those of the film.

  Args:
    film: as it was read, grey, with or without pixels.
    findings: those that are `drawn` have a box.
    algorithm: who made the predictions.
    window: lowest and highest value to show, for a film that has neither a VOI
      LUT nor a window.

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
  _copy_display(film, state, window)
  return state


def _annotations(
  reference: Dataset,
  findings: Sequence[Finding],
  algorithm: Algorithm,
  layer: pr.GraphicLayer,
) -> list[pr.GraphicAnnotation]:
  """Return a box and its label for every finding that is drawn."""
  made = []
  for finding in findings:
    if not finding.drawn or finding.box is None:
      continue
    x1, y1, x2, y2 = finding.box
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
      anchor_point=(x1, y1),
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


def _copy_display(
  film: Dataset, state: Dataset, window: tuple[float, float] | None
) -> None:
  """Show the film as it shows itself."""
  if film.get("ModalityLUTSequence"):
    state.ModalityLUTSequence = _tables(film, "ModalityLUTSequence")
  elif "RescaleSlope" in film and "RescaleIntercept" in film:
    for keyword in _MODALITY:
      if film.get(keyword) not in (None, ""):
        state[keyword] = copy.deepcopy(film[keyword])
    if "RescaleType" not in state:
      state.RescaleType = "US"  # unspecified
  voi = Dataset()
  if film.get("VOILUTSequence"):
    voi.VOILUTSequence = _tables(film, "VOILUTSequence")
  elif film.get("WindowCenter") not in (None, ""):
    for keyword in _WINDOW:
      value = film.get(keyword)
      if value not in (None, ""):
        several = isinstance(value, MultiValue)
        setattr(voi, keyword, value[0] if several else value)
    if film.get("VOILUTFunction"):
      voi.VOILUTFunction = film.VOILUTFunction
  elif window is not None:
    low, high = window
    voi.WindowCenter, voi.WindowWidth = (low + high) / 2, max(high - low, 1)
    voi.VOILUTFunction = "LINEAR_EXACT"
  if len(voi):
    state.SoftcopyVOILUTSequence = [voi]
  height, width = aspect_of(film)
  area = state.DisplayedAreaSelectionSequence[0]
  if height != width:
    del area.PresentationPixelAspectRatio
    # Integers, of which the ratio alone counts.
    area.PresentationPixelAspectRatio = [
      round(10_000 * height / width),
      10_000,
    ]


def _tables(film: Dataset, keyword: str) -> list[Dataset]:
  """Copy lookup tables; their entries become bytes, which `OW` wants.

  Read as `US` they are a list of numbers, which are not written as `OW`.
  """
  tables = copy.deepcopy(list(film[keyword].value))
  for table in tables[:1]:
    signed = film.get("PixelRepresentation") == 1
    first = [int(v) for v in table.LUTDescriptor]
    del table.LUTDescriptor
    table.add_new("LUTDescriptor", "SS" if signed else "US", first)
    entries = table.LUTData
    if not isinstance(entries, bytes):
      entries = np.asarray(entries).astype(np.uint16).astype("<u2").tobytes()
    del table.LUTData
    table.add_new("LUTData", "OW", entries)
  return tables[:1]
