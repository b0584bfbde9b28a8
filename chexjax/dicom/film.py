"""A DICOM film as the 8 bits that a network knows."""

import os
from typing import Any, NamedTuple

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
from chexjax.dicom.film_header import checked_header, probe, told
from chexjax.dicom.grey_stages import grey_table, padding_of
from chexjax.dicom.pixel_module import PixelModule
from chexjax.dicom.placement import Placement
from chexjax.dicom.quiet import quiet
from chexjax.dicom.view import View


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
    module, placement, view, notes = checked_header(dataset, max_pixels)
    if "PixelData" not in dataset:
      raise FilmFault("has no integer pixel data; there is no film in it")
    check_decoder(dataset)
    stream = stream or _stream_of(dataset)
    check_decoder(dataset, stream)
    check_stream(module, stream)
    if module.grey:
      grey, said = _grey(dataset, module, stream)
    else:
      grey, said = luma_of(dataset, module)
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
    stream = probe(file, max_pixels)[1]
    file.seek(0)
    dataset = read_open(file, pixels=True)
  return told(lambda: film_of(dataset, max_pixels=max_pixels, stream=stream))


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
