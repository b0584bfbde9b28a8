"""Decoding of image files to grey pixels."""

import contextlib
import multiprocessing
import pathlib

import cv2
import numpy as np

# EXIF orientation is ignored: boxes are given for the pixels as stored.
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
# Colour type in a PNG's header -> kornia-rs's name for it, and OpenCV's
# conversion to grey, which is exact where red, green and blue are equal.
_PNG_KINDS = {
  0: ("mono", None),
  2: ("rgb", cv2.COLOR_RGB2GRAY),
  6: ("rgba", cv2.COLOR_RGBA2GRAY),
}


def decode_grey(data: bytes) -> np.ndarray:
  """Decode a PNG or JPEG to 8-bit grey, with the same values as Pillow.

  Alpha is dropped, colour becomes luma, 16 bits keep their upper 8. EXIF
  orientation is ignored.

  Args:
    data: the file's bytes.

  Returns:
    `[H, W, 1]` uint8.

  Raises:
    ValueError: the bytes are not an image.
  """
  # OpenCV raises for an empty buffer, but returns None for other wrong bytes.
  image = cv2.imdecode(np.frombuffer(data, np.uint8), _GREY) if data else None
  if image is None:
    raise ValueError(f"{len(data)} bytes do not decode as an image")
  return image[..., None]


def _decode_file(path: pathlib.Path) -> np.ndarray:
  """Decode a file as `decode_grey`; in a worker process PNGs twice as fast.

  kornia-rs takes half of OpenCV's time but holds Python's global lock. In a
  process that reads with threads it would stop the other threads.
  """
  if multiprocessing.parent_process() is not None:
    with path.open("rb") as file:
      header = file.read(26)
    kind = None
    # PNG's signature; in the header chunk byte 24 is the depth, 25 the colour.
    if header[:8] == b"\x89PNG\r\n\x1a\n" and header[24:25] == b"\x08":
      kind = _PNG_KINDS.get(header[25])
    if kind is not None:
      # kornia-rs raises bare exceptions. OpenCV then reads the file again and
      # decides whether it is damaged.
      with contextlib.suppress(Exception):
        import kornia_rs

        image = kornia_rs.io.read_image_png_u8(str(path), kind[0])
        return _to_grey(image, kind[1])
  return decode_grey(path.read_bytes())


def _to_grey(image: np.ndarray, code: int | None) -> np.ndarray:
  return image if code is None else cv2.cvtColor(image, code)[..., None]


def read_grey(path: str | pathlib.Path, size: int) -> np.ndarray:
  """Read an image file as 8-bit grey, resized to a square.

  Larger images are reduced by the mean over each pixel's area (no aliasing),
  smaller ones enlarged bilinearly. The aspect ratio is not kept.

  Args:
    path: PNG or JPEG.
    size: side of the result, in pixels.

  Returns:
    `[size, size, 1]` uint8.

  Raises:
    OSError: the file cannot be read.
    ValueError: the file does not decode; names it.
  """
  try:
    image = _decode_file(pathlib.Path(path))
  except ValueError as error:
    raise ValueError(f"{path}: {error}") from error
  if image.shape[:2] == (size, size):
    return image
  reduced = min(image.shape[:2]) >= size
  kind = cv2.INTER_AREA if reduced else cv2.INTER_LINEAR
  return cv2.resize(image, (size, size), interpolation=kind)[..., None]
