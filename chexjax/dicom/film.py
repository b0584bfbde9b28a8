"""A DICOM film as the 8 bits that a network knows, and its header alone."""

import os
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from chexjax.dicom.classes import check_class
from chexjax.dicom.codestream import Codestream, read_codestream
from chexjax.dicom.datasets import read_open
from chexjax.dicom.decoded import (
  check_decoder,
  check_stream,
  luma_of,
  stored_values,
  transfer_syntax,
)
from chexjax.dicom.faults import FilmFault
from chexjax.dicom.fields import numbers_of, text_of
from chexjax.dicom.grey_stages import grey_table, padding_of
from chexjax.dicom.pixel_data import check_whole
from chexjax.dicom.pixel_module import PixelModule, read_pixel_module
from chexjax.dicom.placement import Placement, place
from chexjax.dicom.quiet import quiet
from chexjax.dicom.view import View, orientation_of, view_of

Result = TypeVar("Result")


class DicomFilm(NamedTuple):
  """A film as viewers show it.

  Attributes:
    grey: of mode `L`, upright, with square pixels.
    notes: what was chosen, changed or may mislead, as text; no patient's name.
    placement: the way to the stored pixels and back.
    view: frontal, lateral or unknown, by the header.
  """

  grey: Image.Image
  notes: list[str]
  placement: Placement
  view: View


class DicomHeader(NamedTuple):
  """What a film's header says; its pixels are there, but not decoded.

  Attributes:
    placement: the way from the stored pixels to the film as shown.
    view: frontal, lateral or unknown.
  """

  placement: Placement
  view: View


class _Checked(NamedTuple):
  """A header without a fault."""

  module: PixelModule
  placement: Placement
  view: View
  notes: list[str]


def film_of(
  dataset: Any, *, max_pixels: int, stream: Codestream | None = None
) -> DicomFilm:
  """Turn a data set into an 8-bit film.

  Modality LUT or Rescale; the first VOI LUT, else the first window, else
  nothing for films of 8 bits, else the range of the values that occur;
  MONOCHROME1 is inverted; padding is black; then Patient Orientation is undone
  and pixels are made square. See `grey_stages`.

  Args:
    dataset: a `pydicom.Dataset`, with its pixels; it is not changed.
    max_pixels: rows x columns x frames of more are refused.
    stream: what its compressed frame declares; by default it is looked up.

  Returns:
    The film.

  Raises:
    ValueError: it is no film for viewing, its header is at fault, or its
      pixels do not decode.
  """
  with quiet():
    check_class(dataset)
    module, placement, view, notes = _checked(dataset, max_pixels)
    if "PixelData" not in dataset:
      raise FilmFault("has no integer pixel data; there is no film in it")
    check_decoder(dataset)
    stream = stream or _stream_of(dataset)
    check_decoder(dataset, stream)
    check_stream(module, stream)
    if module.grey:
      grey, said = _grey(dataset, module, stream)
    else:
      grey = luma_of(dataset, module)
      said = ["in colour, made grey (a photo or a screenshot?)"]
  return DicomFilm(placement.shown(grey), notes + said, placement, view)


def read_dicom(path: str | os.PathLike[str], *, max_pixels: int) -> DicomFilm:
  """Read a DICOM file as an 8-bit film; see `film_of`.

  Args:
    path: of the file; its name does not matter.
    max_pixels: rows x columns x frames of more are refused, before the file's
      pixels are read.

  Returns:
    The film.

  Raises:
    ImportError: pydicom is absent; names the extra.
    OSError: the file cannot be read.
    ValueError: see `film_of`; the file is not named.
  """
  with open(path, "rb") as file:
    stream = _probe(file, max_pixels)[1]
    file.seek(0)
    dataset = read_open(file, pixels=True)
  return _told(lambda: film_of(dataset, max_pixels=max_pixels, stream=stream))


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
    ImportError: pydicom is absent; names the extra.
    OSError: the file cannot be read.
    ValueError: it is no film for viewing, or its header is at fault; the file
      is not named.
  """
  with open(path, "rb") as file:
    checked, _ = _probe(file, max_pixels)
  return DicomHeader(checked.placement, checked.view)


def _probe(
  file: BinaryIO, max_pixels: int
) -> tuple[_Checked, Codestream | None]:
  """Check a header and that the pixels are there; none is decoded."""
  dataset = read_open(file)

  def check() -> tuple[_Checked, Codestream | None]:
    with quiet():
      check_class(dataset)
      checked = _checked(dataset, max_pixels)
      check_decoder(dataset)
      stream = None
      # A deflated data set is read whole, and left nowhere.
      if not transfer_syntax(dataset).is_deflated:
        implicit, little = dataset.original_encoding
        head = check_whole(
          file,
          native_bytes=checked.module.native_bytes,
          implicit=bool(implicit),
          little=bool(little),
        )
        stream = read_codestream(head)
      check_decoder(dataset, stream)
      check_stream(checked.module, stream)
    return checked, stream

  return _told(check)


def _told(read: Callable[[], Result]) -> Result:
  """Run a reader; what pydicom raises of a damaged value becomes a sentence."""
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


def _checked(dataset: Any, max_pixels: int) -> _Checked:
  """Return what the header says, contradictions settled and noted."""
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
  return _Checked(module, placement, view, notes)


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


def _stream_of(dataset: Any) -> Codestream | None:
  """Return what a data set's compressed frame declares."""
  from pydicom.encaps import generate_fragments

  if not transfer_syntax(dataset).is_encapsulated:
    return None
  try:
    # The first item is the table of offsets.
    fragments = generate_fragments(dataset.PixelData)
    return next(
      (s for f in fragments if (s := read_codestream(f)) is not None), None
    )
  except ValueError:  # The decoder will say that they are damaged.
    return None


def _grey(
  dataset: Any, module: PixelModule, stream: Codestream | None
) -> tuple[np.ndarray, list[str]]:
  """Return the grey values of a film, and notes."""
  values, module, notes = stored_values(dataset, module, stream)
  padding = padding_of(dataset, module)
  padded = None
  if padding is not None:
    padded = (values >= padding[0]) & (values <= padding[1])
  seen = values if padded is None else values[~padded]
  if not seen.size:
    raise FilmFault("holds nothing but padding; there is no film in it")
  table, said = grey_table(
    dataset,
    module,
    used=(int(seen.min()), int(seen.max())),
    little=dataset.original_encoding[1] is not False,
  )
  if module.photometric == "MONOCHROME1":
    table = 255 - table
  grey = table[values - module.lowest]
  if padded is not None:
    grey[padded] = 0
  return grey, notes + said
