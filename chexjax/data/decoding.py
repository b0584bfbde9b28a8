"""The one reader of image files, for training, evaluation and prediction.

PNG, JPEG and DICOM, known by their first bytes and not by their names.
"""

import contextlib
import multiprocessing
import os
import pathlib
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

from chexjax.data import no_images
from chexjax.data.framing import to_square
from chexjax.dicom.film import read_dicom
from chexjax.dicom.placement import Placement
from chexjax.dicom.recognition import begins_dicom
from chexjax.dicom.view import View

# At the top and not inside of the reader, which runs in threads: TFDS patches
# the import system while it is imported, and an import in another thread would
# then return a module in place of a function.
from tfds_chestxray14.encoding import MAX_PIXELS, check_pixels, to_grey

# MPO is the JPEG of phones and cameras with a preview behind the image.
FORMATS = ("PNG", "JPEG", "MPO")
ORIENTATION = 0x0112  # EXIF tag
_UPRIGHT = 1
_TURNED = range(2, 9)
_COLOURED = 8  # mean range of red, green and blue in a pixel, of 255
_LOW_CONTRAST = 32
# A thousandth of the pixels of every one of NIH's films is brighter.
_DARK = 128
_BRIGHTEST = 99.9  # percentile; a marker is brighter than a film that is dark
# In a PNG's header: its signature, the depth 8 and the colour type grey.
_PNG = b"\x89PNG\r\n\x1a\n"
_GREY_8_BIT = b"\x08\x00"
# Where a PNG keeps an orientation: a chunk of its own, or a text.
_MAY_TURN = (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp")


class Upright(NamedTuple):
  """A film as viewers show it.

  Attributes:
    grey: of mode `L`, in the film's own size.
    notes: properties that may make a prediction worthless, as text.
    placement: the way to the stored pixels of a DICOM file and back, None for
      other files.
    view: by the header of a DICOM file, unknown for other files.
  """

  grey: Image.Image
  notes: list[str]
  placement: Placement | None = None
  view: View = "unknown"


def decode_grey(data: bytes) -> np.ndarray:
  """Decode a record, a grey 8-bit PNG or JPEG, with the values of Pillow.

  Args:
    data: bytes that `tfds_chestxray14.encoding.stored` returned.

  Returns:
    `[H, W, 1]` uint8.

  Raises:
    ValueError: the bytes are not an image.
  """
  # An orientation is ignored, because the lists' boxes are in stored pixels.
  kind = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
  # OpenCV raises for an empty buffer, but returns None for other wrong bytes.
  image = cv2.imdecode(np.frombuffer(data, np.uint8), kind) if data else None
  if image is None:
    raise ValueError(f"{len(data)} bytes do not decode as an image")
  return image[..., None]


def read_upright(path: str | os.PathLike[str]) -> Upright:
  """Read a film as 8-bit grey, turned as its EXIF or DICOM header says.

  PNG and JPEG: 8 or 16 bits, grey, RGB, RGBA, palette or CMYK, any size. 16-bit
  values are divided by 257, alpha is dropped, true colour becomes luma, as in
  the records of the dataset's builder. DICOM: see `chexjax.dicom.film_of`.

  Args:
    path: the file.

  Returns:
    The film.

  Raises:
    ValueError: the file is no PNG, JPEG or DICOM film, does not decode, or has
      more than `MAX_PIXELS` pixels, in which case it is not decoded; names the
      file.
  """
  try:
    with open(path, "rb") as file:
      start = file.read(no_images.HEAD)
    if begins_dicom(start):
      return _dicom(path)
    if wrong := no_images.what_it_is(start):
      raise ValueError(wrong)
    with Image.open(path) as image:
      if image.format not in FORMATS:
        raise ValueError(f"is {image.format}, must be PNG, JPEG or DICOM")
      check_pixels(image)
      return _fast(path, image) or _careful(image)
  except Exception as error:  # Pillow raises many types for damaged files.
    raise ValueError(f"{path}: {reason_of(error)}") from error


def read_grey(
  path: str | os.PathLike[str], size: int, *, shape: str = "squeeze"
) -> np.ndarray:
  """Read an image file as the square that the model sees.

  Args:
    path: PNG, JPEG or DICOM; see `read_upright`.
    size: side of the result, in pixels.
    shape: how the film becomes a square; see `framing`.

  Returns:
    `[size, size, 1]` uint8.

  Raises:
    ValueError: the file cannot be read or does not decode; names it.
  """
  return to_square(read_upright(path).grey, size, shape)


def reason_of(error: Exception) -> str:
  """Return what an error of Pillow says, without the file's name."""
  reason = str(error).split("<_io.")[0].strip()
  unknown = "cannot identify image file"
  return unknown if reason.startswith(unknown) else reason or repr(error)


def turned(image: Image.Image) -> bool:
  """Return whether an opened image has an EXIF orientation to be applied.

  Of a PNG the whole file is decoded for it.
  """
  return image.getexif().get(ORIENTATION, _UPRIGHT) in _TURNED


def _dicom(path: str | os.PathLike[str]) -> Upright:
  grey, notes, placement, view = read_dicom(path, max_pixels=MAX_PIXELS)
  return Upright(grey, notes + contrast_notes(grey), placement, view)


def _careful(image: Image.Image) -> Upright:
  """Decode with Pillow, which knows every kind."""
  notes = []
  image.load()
  if turned(image):
    notes.append("turned upright as its EXIF orientation says")
    image = ImageOps.exif_transpose(image)
  if _is_coloured(image):
    notes.append("in colour, made grey (a photo or a screenshot?)")
  grey = to_grey(image)
  return Upright(grey, notes + contrast_notes(grey))


def _fast(path: str | os.PathLike[str], image: Image.Image) -> Upright | None:
  """Decode a grey 8-bit PNG in a worker process; None where Pillow should.

  kornia-rs takes half of Pillow's time, but holds Python's global lock. In a
  process that reads with threads it would stop the other threads.
  """
  if multiprocessing.parent_process() is None or image.mode != "L":
    return None
  data = pathlib.Path(path).read_bytes()
  if data[:8] != _PNG or data[24:26] != _GREY_8_BIT:
    return None
  if any(mark in data for mark in _MAY_TURN):
    return None
  # kornia-rs raises bare exceptions. Pillow then decides whether the file is
  # damaged.
  with contextlib.suppress(Exception):
    import kornia_rs

    values = kornia_rs.io.decode_image_png_u8(
      data, (image.height, image.width), "mono"
    )
    grey = Image.fromarray(values[..., 0])
    return Upright(grey, contrast_notes(grey))
  return None


def contrast_notes(grey: Image.Image) -> list[str]:
  """Return a note if a film's grey values span little, or are all dark."""
  values = np.asarray(grey)
  low, high = int(values.min()), int(values.max())
  if high - low < _LOW_CONTRAST:
    return [
      f"grey values span only {low}..{high} of 0..255 (12 bits stored in 16?)"
    ]
  bright = int(np.percentile(values, _BRIGHTEST))
  if bright < _DARK:
    return [
      f"grey values reach only {bright} of 255 (a DICOM film's raw values, "
      "12 bits or more stored in 16?)"
    ]
  return []


def _is_coloured(image: Image.Image) -> bool:
  if image.mode in ("L", "LA", "1") or image.mode.startswith("I"):
    return False
  # A sample of 64 x 64 pixels is enough, and fast for large images.
  small = image.resize((64, 64), Image.Resampling.NEAREST).convert("RGB")
  values = np.asarray(small).astype(int)
  return float(np.ptp(values, axis=-1).mean()) > _COLOURED
