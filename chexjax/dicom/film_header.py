"""What a film's header says, checked; its pixels are there, but not decoded."""

import os
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple, TypeVar

from chexjax.dicom.classes import check_class
from chexjax.dicom.codestream import Codestream, read_codestream
from chexjax.dicom.datasets import read_open
from chexjax.dicom.decoded import check_decoder, check_stream, transfer_syntax
from chexjax.dicom.faults import FilmFault
from chexjax.dicom.fields import numbers_of, text_of
from chexjax.dicom.pixel_data import check_whole
from chexjax.dicom.pixel_module import PixelModule, read_pixel_module
from chexjax.dicom.placement import Placement, place
from chexjax.dicom.quiet import quiet
from chexjax.dicom.view import View, orientation_of, view_of

Result = TypeVar("Result")


class DicomHeader(NamedTuple):
  """What a film's header says.

  Attributes:
    module: sizes and depths of the pixels.
    placement: the way from the stored pixels to the film as shown.
    view: frontal, lateral or unknown.
    notes: contradictions and what may mislead, as text.
  """

  module: PixelModule
  placement: Placement
  view: View
  notes: list[str]


def read_dicom_header(
  path: str | os.PathLike[str], *, max_pixels: int
) -> DicomHeader:
  """Read a film's header, and see that its pixels do not break off.

  Args:
    path: of the file.
    max_pixels: rows x columns x frames of more are refused.

  Returns:
    What it says.

  Raises:
    ImportError: a package is absent; names the extra.
    OSError: the file cannot be read.
    ValueError: it is no film for viewing, or its header is at fault; the file
      is not named.
  """
  with open(path, "rb") as file:
    return probe(file, max_pixels)[0]


def probe(
  file: BinaryIO, max_pixels: int
) -> tuple[DicomHeader, Codestream | None]:
  """Check an open file's header and that its pixels are there.

  Args:
    file: placed at its start.
    max_pixels: see `read_dicom_header`.

  Returns:
    The header, and what the compressed frame declares, if it is compressed.

  Raises:
    ValueError: see `read_dicom_header`.
  """
  dataset = read_open(file)

  def check() -> tuple[DicomHeader, Codestream | None]:
    with quiet():
      check_class(dataset)
      header = checked_header(dataset, max_pixels)
      check_decoder(dataset)
      stream = None
      # A deflated data set is read whole, and left nowhere.
      if not transfer_syntax(dataset).is_deflated:
        implicit, little = dataset.original_encoding
        head = check_whole(
          file,
          native_bytes=header.module.native_bytes,
          implicit=bool(implicit),
          little=bool(little),
        )
        stream = read_codestream(head)
      check_decoder(dataset, stream)
      check_stream(header.module, stream)
    return header, stream

  return told(check)


def told(read: Callable[[], Result]) -> Result:
  """Run a reader; what pydicom raises of a damaged value becomes a sentence.

  Args:
    read: returns anything.

  Raises:
    FilmFault: a fault of our own, or one that stands for pydicom's.
  """
  try:
    return read()
  except (ArithmeticError, AttributeError, LookupError, OSError, TypeError,
          ValueError) as error:  # fmt: skip
    if isinstance(error, FilmFault):
      raise
    raise FilmFault(
      f"has a damaged DICOM header ({type(error).__name__}); copy the file "
      "again"
    ) from error


def checked_header(dataset: Any, max_pixels: int) -> DicomHeader:
  """Return what a header says, contradictions settled and noted.

  Args:
    dataset: a pydicom data set.
    max_pixels: see `read_dicom_header`.

  Raises:
    FilmFault: something is absent or impossible, or there are too many pixels.
  """
  module, notes = read_pixel_module(dataset, max_pixels=max_pixels)
  view, where = view_of(dataset)
  orientation = orientation_of(dataset)
  placement, said = place(
    module.columns,
    module.rows,
    orientation=() if view == "lateral" else orientation,
    pixel=_pixel(dataset),
  )
  notes += said
  if view == "lateral":
    notes.append(f"is a lateral view by its {where}")
  elif view == "unknown":
    notes.append("the header does not say whether it is a frontal view")
  if text_of(dataset, "BurnedInAnnotation") == "YES":
    notes.append("has text burned into its pixels (Burned In Annotation YES)")
  return DicomHeader(module, placement, view, notes)


def _pixel(dataset: Any) -> tuple[float, float] | None:
  """Return height and width of a pixel, None if they are not known.

  Of a spacing the ratio alone is used: that of the detector is no size in the
  patient.
  """
  for keyword in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing"):
    sides = numbers_of(dataset, keyword)
    if len(sides) == 2 and min(sides) > 0:
      return sides[0], sides[1]
  return None
