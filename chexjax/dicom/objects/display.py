"""How a film is displayed, said again in a presentation state."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from chexjax.dicom.decoded import stored_values
from chexjax.dicom.fields import items_of, numbers_of, text_of
from chexjax.dicom.grey_stages import padding_of
from chexjax.dicom.lookup_tables import LookupTable, read_table
from chexjax.dicom.objects.source import aspect_of
from chexjax.dicom.pixel_module import read_pixel_module

_EIGHT = 8  # stored bits that are shown as they are
_SIXTEEN = 16
_HIGHEST = (1 << _SIXTEEN) - 1


def needs_pixels(film: Dataset) -> bool:
  """Return whether nothing but its pixels says which range a film is shown in.

  Args:
    film: its header.
  """
  bits = numbers_of(film, "BitsStored") or [_SIXTEEN]
  said = _voi(film) is not None or items_of(film, "ModalityLUTSequence")
  return bits[0] > _EIGHT and not said


def copy_display(film: Dataset, state: Dataset) -> None:
  """Show the film as `chexjax.dicom.film_of` does: the stages of grey values.

  Args:
    film: as it was read; with its pixels where `needs_pixels` says so.
    state: the presentation state; changed in place.
  """
  for item in items_of(film, "ModalityLUTSequence")[:1]:
    table = _table(film, item, signed=numbers_of(film, "PixelRepresentation"))
    if table is not None:
      made = _lut(table)
      made.ModalityLUTType = item.get("ModalityLUTType") or "US"
      state.ModalityLUTSequence = [made]
  slope, intercept = _rescale(film)
  if "ModalityLUTSequence" not in state and (slope, intercept) != (1, 0):
    state.RescaleIntercept = _decimal(intercept)
    state.RescaleSlope = _decimal(slope)
    state.RescaleType = film.get("RescaleType") or "US"
  voi = _voi(film)
  if voi is None and needs_pixels(film) and "PixelData" in film:
    voi = _whole_range(film, slope, intercept)
  if voi is not None:
    state.SoftcopyVOILUTSequence = [voi]
  height, width = aspect_of(film)
  if height != width:
    area = state.DisplayedAreaSelectionSequence[0]
    # Integers, of which the ratio alone counts.
    area.PresentationPixelAspectRatio = [round(10_000 * height / width), 10_000]


def _rescale(film: Dataset) -> tuple[float, float]:
  slope = numbers_of(film, "RescaleSlope") or [1.0]
  intercept = numbers_of(film, "RescaleIntercept") or [0.0]
  return (slope[0], intercept[0]) if slope[0] else (1.0, 0.0)


def _voi(film: Dataset) -> Dataset | None:
  """Return the first VOI LUT, else the first window, None without either."""
  made = Dataset()
  for item in items_of(film, "VOILUTSequence")[:1]:
    table = _table(film, item, signed=_signed_input(film))
    if table is not None:
      # Over the whole range, because not all readers take other bits than 8
      # and 16, and makers write 16 for entries of 12.
      full = np.rint(table.entries * (_HIGHEST / table.top)).astype(np.int64)
      made.VOILUTSequence = [_lut(table._replace(entries=full))]
      return made
  centres = numbers_of(film, "WindowCenter")
  widths = numbers_of(film, "WindowWidth")
  kind = text_of(film, "VOILUTFunction") or "LINEAR"
  if not centres or not widths or widths[0] <= 0:
    return None
  if kind == "LINEAR" and widths[0] < 1:
    return None
  made.WindowCenter = _decimal(centres[0])
  made.WindowWidth = _decimal(widths[0])
  if kind in ("SIGMOID", "LINEAR_EXACT"):
    made.VOILUTFunction = kind
  return made


def _signed_input(film: Dataset) -> list[float]:
  """Return whether a VOI LUT's inputs may be negative, as `[1]` or `[0]`."""
  if items_of(film, "ModalityLUTSequence"):
    return [0]
  if _rescale(film)[1] < 0:
    return [1]
  return numbers_of(film, "PixelRepresentation")


def _table(
  film: Dataset, item: Any, *, signed: list[float]
) -> LookupTable | None:
  return read_table(
    item,
    signed=bool(signed and signed[0]),
    little=getattr(film, "original_encoding", (None, None))[1] is not False,
  )


def _lut(table: LookupTable) -> Dataset:
  """Return a table as a presentation state has it.

  Its entries are words in a row of bytes (`OW`). A list of numbers, as which
  `US` is read, cannot be written as that.
  """
  made = Dataset()
  count = len(table.entries) % (1 << 16)
  kind = "SS" if table.first < 0 else "US"
  descriptor = [count, table.first, _SIXTEEN]
  made.add_new("LUTDescriptor", kind, descriptor)
  made.add_new("LUTData", "OW", table.entries.astype("<u2").tobytes())
  return made


def _whole_range(film: Dataset, slope: float, intercept: float) -> Dataset:
  """Return a window from the darkest to the brightest value that occurs."""
  module, _ = read_pixel_module(film, max_pixels=film.Rows * film.Columns)
  values, module, _ = stored_values(film, module, None)
  padding = padding_of(film, module)
  if padding is not None:
    seen = values[(values < padding[0]) | (values > padding[1])]
    values = seen if seen.size else values
  ends = np.sort(np.array([values.min(), values.max()]) * slope + intercept)
  made = Dataset()
  made.WindowCenter = _decimal(ends.mean())
  made.WindowWidth = _decimal(max(ends[1] - ends[0], 1e-6))
  made.VOILUTFunction = "LINEAR_EXACT"
  return made


def _decimal(value: float) -> DSfloat:
  """Return a number in the 16 characters that a decimal string has."""
  return DSfloat(float(value), auto_format=True)
