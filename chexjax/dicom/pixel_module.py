"""Sizes and depths of a film's pixels, as its header declares them."""

from typing import Any, NamedTuple

from chexjax.dicom.faults import FilmFault
from chexjax.dicom.fields import integer_of, text_of

_GREY = ("MONOCHROME1", "MONOCHROME2")
_PALETTE = "PALETTE COLOR"
_DEPTHS = (1, 8, 16)


class PixelModule(NamedTuple):
  """What a header says of the pixels.

  Attributes:
    rows: of the film.
    columns: of the film.
    samples: values of a pixel, 1 or 3.
    allocated: bits that a value takes in the file.
    stored: bits that it has, from the lowest on.
    high_bit: number of the highest of these in the file.
    signed: whether values are two's complement.
    photometric: what the values mean, such as `MONOCHROME1`.
  """

  rows: int
  columns: int
  samples: int
  allocated: int
  stored: int
  high_bit: int
  signed: bool
  photometric: str

  @property
  def grey(self) -> bool:
    """Whether a pixel is one grey value."""
    return self.samples == 1 and self.photometric in _GREY

  @property
  def lowest(self) -> int:
    """The smallest value that the stored bits can have."""
    return -(1 << (self.stored - 1)) if self.signed else 0

  @property
  def highest(self) -> int:
    """The largest value that the stored bits can have."""
    return self.lowest + (1 << self.stored) - 1

  @property
  def native_bytes(self) -> int:
    """Bytes that the pixels take where they are not compressed."""
    values = self.rows * self.columns * self.samples
    if self.photometric == "YBR_FULL_422":
      values = values * 2 // 3
    return (values * self.allocated + 7) // 8


def read_pixel_module(
  dataset: Any, *, max_pixels: int
) -> tuple[PixelModule, list[str]]:
  """Read and check what the header says; no pixel is decoded.

  Args:
    dataset: a pydicom data set.
    max_pixels: rows x columns x frames of more are refused.

  Returns:
    The module, with contradictions settled, and notes of them.

  Raises:
    ValueError: something is absent or impossible, there are several frames, or
      too many pixels.
  """
  rows = integer_of(dataset, "Rows")
  columns = integer_of(dataset, "Columns")
  frames = integer_of(dataset, "NumberOfFrames", 1)
  samples = integer_of(dataset, "SamplesPerPixel", 1)
  if min(rows, columns, frames) < 1:
    raise FilmFault(
      f"declares {columns}x{rows} pixels and {frames} frames; there is no film"
    )
  pixels = rows * columns * frames
  if pixels > max_pixels:
    raise FilmFault(
      f"declares {columns}x{rows} pixels and {frames} frames, {pixels:,} "
      f"pixels, more than {max_pixels:,}; not decoded"
    )
  if frames > 1:
    raise FilmFault(
      f"has {frames} frames, must be one film; split it into single films"
    )
  allocated = integer_of(dataset, "BitsAllocated", 8)
  stored = integer_of(dataset, "BitsStored", allocated)
  if allocated not in _DEPTHS or samples not in (1, 3):
    raise FilmFault(
      f"has {samples} samples of {allocated} bits in a pixel, must be 1 or 3 "
      "of 8 or 16 bits"
    )
  notes = []
  if not 1 <= stored <= allocated:
    notes.append(
      f"Bits Stored {stored} of {allocated} is taken for {allocated}"
    )
    stored = allocated
  high_bit = integer_of(dataset, "HighBit", stored - 1)
  if not stored - 1 <= high_bit < allocated:
    notes.append(f"High Bit {high_bit} is taken for {stored - 1}")
    high_bit = stored - 1
  photometric, said = _photometric(dataset, samples)
  notes += said
  signed = integer_of(dataset, "PixelRepresentation", 0) == 1
  module = PixelModule(
    rows, columns, samples, allocated, stored, high_bit, signed, photometric
  )
  return module, notes


def _photometric(dataset: Any, samples: int) -> tuple[str, list[str]]:
  """Return the photometric interpretation that fits the number of samples."""
  said = text_of(dataset, "PhotometricInterpretation")
  one = (*_GREY, _PALETTE)
  if samples == 1:
    fits, taken = said in one, "MONOCHROME2"
  else:
    fits = said in ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
    taken = "RGB"
  if fits:
    return said, _shape_note(dataset, said)
  # A damaged header may hold any text, which is not repeated.
  what = "wrong" if said else "missing"
  return taken, [f"Photometric Interpretation is {what}, taken for {taken}"]


def _shape_note(dataset: Any, photometric: str) -> list[str]:
  """Return a note where Presentation LUT Shape contradicts the polarity."""
  shape = text_of(dataset, "PresentationLUTShape")
  wanted = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}
  if shape not in wanted.values() or wanted.get(photometric, shape) == shape:
    return []
  return [
    f"Presentation LUT Shape {shape} contradicts {photometric}, which is "
    "followed"
  ]
