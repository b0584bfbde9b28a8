"""What an image file says of itself before it is decoded, and what it is."""

import io
import os
import pathlib
import stat
from typing import NamedTuple

from PIL import Image

from chexjax.data import no_images
from chexjax.data.decoding import FORMATS, reason_of, turned
from chexjax.dicom.film_header import read_dicom_header
from chexjax.dicom.placement import Placement
from chexjax.dicom.recognition import begins_dicom
from chexjax.dicom.view import View
from tfds_chestxray14.encoding import MAX_PIXELS, check_pixels

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_END = b"\xff\xd9"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


class Header(NamedTuple):
  """What a header says.

  Attributes:
    width: of the frame that boxes are in, in pixels: the film as viewers show
      it, of a DICOM file its stored pixels.
    height: of the same.
    deep: whether a PNG's values have 16 bits.
    turned: whether an EXIF orientation turns or mirrors the film.
    placement: how a DICOM film is shown, None for other files.
    view: by the header of a DICOM file, unknown for other files.
  """

  width: int
  height: int
  deep: bool
  turned: bool
  placement: Placement | None = None
  view: View = "unknown"


def read_header(path: pathlib.Path) -> Header | str:
  """Read an image's header, and see that the file does not break off.

  A file without its format's end mark is decoded, to see whether it is whole.

  Args:
    path: of a PNG, JPEG or DICOM file.

  Returns:
    The header, or what is wrong with the file, as the rest of a sentence.
  """
  try:
    # To open a pipe would wait for ever.
    if not stat.S_ISREG(os.stat(path).st_mode):
      return "is no regular file"
    with path.open("rb") as file:
      start = file.read(no_images.HEAD)
      file.seek(0)
      if not begins_dicom(start):
        return no_images.what_it_is(start) or _read(file)
    return _read_dicom(path)
  except FileNotFoundError:
    return "is a link to a file that is not there"
  except OSError as error:
    if error.strerror:
      return f"cannot be read: {error.strerror}"
    return f"is no image: {reason_of(error)}"
  except Exception as error:  # Pillow raises many types for damaged files.
    return f"is no image: {reason_of(error)}"


def _read_dicom(path: pathlib.Path) -> Header | str:
  try:
    header = read_dicom_header(path, max_pixels=MAX_PIXELS)
  except (ImportError, ValueError) as error:
    return str(error)
  size = header.placement.columns, header.placement.rows
  return Header(*size, False, False, header.placement, header.view)


def _read(file: io.BufferedReader) -> Header | str:
  png = file.read(8) == _PNG
  whole, may_turn = _walk_png(file) if png else (_ends_jpeg(file), True)
  file.seek(0)
  with Image.open(file) as image:
    if image.format not in FORMATS:
      return f"is {image.format}, must be PNG, JPEG or DICOM"
    check_pixels(image)
    size, deep = image.size, image.mode.startswith("I")
    upside = may_turn and turned(image)
    if not whole:
      image.load()
    # 5 to 8 swap the sides.
    swapped = upside and image.getexif()[0x0112] > 4
  width, height = reversed(size) if swapped else size
  return Header(width, height, deep, upside)


def _walk_png(file: io.BufferedReader) -> tuple[bool, bool]:
  """Return whether a PNG has its end, and what may hold an orientation."""
  may_turn = False
  while len(head := file.read(8)) == 8:
    length, kind = int.from_bytes(head[:4], "big"), head[4:]
    if kind == b"IEND":
      return True, may_turn
    may_turn |= kind == b"eXIf"
    if kind in _TEXTS:
      start = file.read(min(length, 32))
      may_turn |= start.startswith((b"Raw profile type", b"XML:com.adobe.xmp"))
      length -= len(start)
    file.seek(length + 4, os.SEEK_CUR)
  return False, may_turn


def _ends_jpeg(file: io.BufferedReader) -> bool:
  file.seek(0, os.SEEK_END)
  file.seek(max(0, file.tell() - len(_JPEG_END)))
  return file.read() == _JPEG_END
