"""An image file as it is stored: its own bytes, or a grey 8-bit PNG."""

import io
import os
import stat
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageChops

# Deflate with run lengths only: on filtered X-rays smaller than the default of
# zlib and six times as fast (at 512: 99 against 104 KB, 6 against 39 ms).
_PNG: dict[str, Any] = {
  "format": "PNG",
  "compress_level": 6,
  "compress_type": 3,
}
# Of any image; NIH's have 1 million, the largest digital films 31 million. What
# says it has more is taken for a decompression bomb and not decoded.
MAX_PIXELS = 40_000_000
# Pillow reads others too, PostScript by starting a program.
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF")
_KEPT_FORMATS = ("PNG", "JPEG")
_END_MARKS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}


class Probe(NamedTuple):
  """What an image's header says."""

  format: str
  mode: str
  width: int
  height: int
  transparent: bool

  def as_is(self, size: int) -> bool:
    """Return whether the file's own bytes are stored: grey, 8 bits, `size`."""
    return (
      self.format in _KEPT_FORMATS
      and self.mode == "L"
      and not self.transparent
      and (self.width, self.height) == (size, size)
    )

  def describe(self) -> str:
    """Return for example `PNG RGBA 1024x1024`."""
    return f"{self.format} {self.mode} {self.width}x{self.height}"


def probe(path: str, *, decode: bool = False) -> Probe:
  """Read an image's header, and see that the file does not break off.

  Args:
    path: The image file.
    decode: Also decode all of it, which is about a hundred times as long.

  Raises:
    ValueError: The file is no image, does not decode, is not square (resizing
      would distort it) or has values of unknown range; names it.
  """
  try:
    # To open a pipe would wait for ever.
    if not stat.S_ISREG(os.stat(path).st_mode):
      raise ValueError("not a regular file")
    with open(path, "rb") as file, Image.open(file, formats=_FORMATS) as image:
      check_pixels(image)
      result = _probe(image)
      if decode or not _ends_well(file, result.format):
        image.load()
  except Exception as error:  # Pillow raises a dozen types on damaged files.
    raise _unreadable(path, error) from error
  if result.width != result.height:
    raise ValueError(f"{path} is {result.describe()}, must be square")
  if result.mode == "F":
    raise ValueError(f"{path} holds floats, must be 8- or 16-bit grey")
  return result


def stored(path: str, size: int) -> bytes:
  """Return the bytes to store for an image file.

  The file's own where it is a grey 8-bit PNG or JPEG of `size` x `size`, else a
  grey 8-bit PNG of that size: resized once, Lanczos over the whole support of
  the reduction (antialiased). The image is decoded in any case.

  Args:
    path: The image file.
    size: Height and width stored, in pixels.

  Raises:
    ValueError: The file is no image or does not decode; names it.
  """
  try:
    with open(path, "rb") as file:
      data = file.read()
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
      check_pixels(image)
      keep = _probe(image).as_is(size)
      image.load()
      return data if keep else _encode(to_grey(image), size)
  except Exception as error:
    raise _unreadable(path, error) from error


def check_pixels(image: Image.Image) -> None:
  """Raise ValueError where an image that is not decoded yet is too large."""
  pixels = image.width * image.height
  if pixels > MAX_PIXELS:
    raise ValueError(
      f"{image.width}x{image.height} are {pixels:,} pixels, more than "
      f"{MAX_PIXELS:,}; not decoded"
    )


def to_grey(image: Image.Image) -> Image.Image:
  """Return the image in 8-bit grey.

  Alpha is dropped; where red, green and blue are the same nothing is lost, a
  true colour image becomes its luma (ITU-R 601). 16-bit values are divided by
  257, so that 65535 becomes 255.
  """
  if image.mode == "L":
    return image
  if image.mode == "LA":
    return image.getchannel("L")
  if image.mode.startswith("I"):
    return _from_16_bit(image)
  rgb = image.convert("RGB")
  red, green, blue = rgb.split()
  same = all(
    ImageChops.difference(red, other).getbbox() is None
    for other in (green, blue)
  )
  return red if same else rgb.convert("L")


def _encode(grey: Image.Image, size: int) -> bytes:
  if grey.size != (size, size):
    grey = grey.resize((size, size), Image.Resampling.LANCZOS)
  buffer = io.BytesIO()
  # Pillow would store what the file said beside its pixels: a transparent
  # colour, texts.
  grey = grey.copy()
  grey.info.clear()
  grey.save(buffer, **_PNG)
  return buffer.getvalue()


def _from_16_bit(image: Image.Image) -> Image.Image:
  values = np.asarray(image).astype(np.int32)
  if values.min() < 0 or values.max() > 65535:
    raise ValueError(
      f"mode {image.mode} with values {values.min()}..{values.max()}, must be "
      "within 0..65535"
    )
  # Rounds as division does: 257 is odd, there is no half.
  return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _probe(image: Image.Image) -> Probe:
  return Probe(
    format=image.format or "unknown",
    mode=image.mode,
    width=image.width,
    height=image.height,
    transparent="transparency" in image.info,
  )


def _ends_well(file: io.BufferedReader, kind: str) -> bool:
  """Return whether the file ends in its format's end mark."""
  mark = _END_MARKS.get(kind)
  if mark is None:
    return False
  place = file.tell()
  file.seek(-len(mark), os.SEEK_END)
  ends_well = file.read() == mark
  file.seek(place)
  return ends_well


def _is_dicom(path: str) -> bool:
  with open(path, "rb") as file:
    return file.read(132)[128:] == b"DICM"


def _unreadable(path: str, error: Exception) -> ValueError:
  # Pillow's message shows the buffer's address, which says nothing.
  reason = str(error).split("<_io.")[0].strip()
  if reason.endswith("cannot identify image file"):
    reason = "not an image"
    if _is_dicom(path):
      reason = "a DICOM file, where NIH's lists mean its PNG"
  return ValueError(f"{path} does not decode: {reason or repr(error)}")
