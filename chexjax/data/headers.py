"""What an image file says of itself before it is decoded, and what it is."""

import io
import os
import pathlib
import stat
from typing import NamedTuple

from PIL import Image

from chexjax.data.decoding import FORMATS, reason_of, turned
from tfds_chestxray14.encoding import check_pixels

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_END = b"\xff\xd9"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# First bytes of what is often saved or downloaded in an image's place.
_NO_IMAGES = {
  b"version https://git-lfs.github.com/spec/": (
    "is a Git LFS pointer, not the image; run git lfs pull"
  ),
  b"<!doctype html": "is a web page, not an image; download it again",
  b"<html": "is a web page, not an image; download it again",
  b"<?xml": "is an XML text, not an image; download it again",
}
_DICOM = "is a DICOM file, which is not read yet; convert it to PNG"


class Header(NamedTuple):
  """What a header says.

  Attributes:
    width: of the film as viewers show it, in pixels.
    height: of the film as viewers show it, in pixels.
    deep: whether values have 16 bits.
    turned: whether an EXIF orientation turns or mirrors the film.
  """

  width: int
  height: int
  deep: bool
  turned: bool


def read_header(path: pathlib.Path) -> Header | str:
  """Read an image's header, and see that the file does not break off.

  A file without its format's end mark is decoded, to see whether it is whole.

  Args:
    path: of a PNG or JPEG.

  Returns:
    The header, or what is wrong with the file, as the rest of a sentence.
  """
  try:
    # To open a pipe would wait for ever.
    if not stat.S_ISREG(os.stat(path).st_mode):
      return "is no regular file"
    with path.open("rb") as file:
      wrong = _no_image(file)
      return wrong or _read(file)
  except FileNotFoundError:
    return "is a link to a file that is not there"
  except OSError as error:
    if error.strerror:
      return f"cannot be read: {error.strerror}"
    return f"is no image: {reason_of(error)}"
  except Exception as error:  # Pillow raises many types for damaged files.
    return f"is no image: {reason_of(error)}"


def _no_image(file: io.BufferedReader) -> str:
  """Return what a file is that is often in an image's place, or nothing."""
  start = file.read(132)
  file.seek(0)
  if not start:
    return "is empty"
  if start[128:] == b"DICM":
    return _DICOM
  text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
  return next(
    (s for mark, s in _NO_IMAGES.items() if text.startswith(mark)), ""
  )


def _read(file: io.BufferedReader) -> Header | str:
  png = file.read(8) == _PNG
  whole, may_turn = _walk_png(file) if png else (_ends_jpeg(file), True)
  file.seek(0)
  with Image.open(file) as image:
    if image.format not in FORMATS:
      return f"is {image.format}, must be PNG or JPEG"
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
