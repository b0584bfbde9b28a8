"""From the bytes of an image file to grey pixels."""

import contextlib
import multiprocessing
import pathlib

import cv2
import kornia_rs
import numpy as np

# An EXIF rotation would turn the image away from its boxes.
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
# Colour type in a PNG's header -> its name to kornia-rs, and OpenCV's way to
# grey, which is exact where red, green and blue are the same.
_PNG_KINDS = {
  0: ("mono", None),
  2: ("rgb", cv2.COLOR_RGB2GRAY),
  6: ("rgba", cv2.COLOR_RGBA2GRAY),
}


def decode_grey(data: bytes) -> np.ndarray:
  """Decodes a PNG or JPEG to 8-bit grey, bit for bit as Pillow does.

  Alpha is dropped, colour becomes luma, 16 bits keep their upper 8.

  Args:
    data: the file's bytes.

  Returns:
    `[H, W, 1]` uint8.

  Raises:
    ValueError: the bytes are no image.
  """
  # OpenCV raises on no bytes at all and gives None on wrong ones.
  image = cv2.imdecode(np.frombuffer(data, np.uint8), _GREY) if data else None
  if image is None:
    raise ValueError(f"{len(data)} bytes do not decode as an image")
  return image[..., None]


def _decode_file(path: pathlib.Path) -> np.ndarray:
  """Decodes a file as `decode_grey` does, PNGs twice as fast in a worker.

  kornia-rs takes half of OpenCV's time, but holds the interpreter's lock, so
  that it would stop the other threads of a process that reads with threads.
  """
  if multiprocessing.parent_process() is not None:
    with path.open("rb") as file:
      header = file.read(26)
    kind = None
    # Signature, and of the header chunk: 8 bits, colour type.
    if header[:8] == b"\x89PNG\r\n\x1a\n" and header[24:25] == b"\x08":
      kind = _PNG_KINDS.get(header[25])
    if kind is not None:
      # It raises no narrower type; OpenCV decides what is wrong.
      with contextlib.suppress(Exception):
        image = kornia_rs.io.read_image_png_u8(str(path), kind[0])
        return _to_grey(image, kind[1])
  return decode_grey(path.read_bytes())


def _to_grey(image: np.ndarray, code: int | None) -> np.ndarray:
  return image if code is None else cv2.cvtColor(image, code)[..., None]


def read_grey(path: str | pathlib.Path, size: int) -> np.ndarray:
  """Reads an image file as 8-bit grey of `size` x `size`.

  Reduced by the mean over the area of a pixel (no aliasing), enlarged
  bilinearly. An image that is not square is squeezed.

  Returns:
    `[size, size, 1]` uint8.

  Raises:
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
