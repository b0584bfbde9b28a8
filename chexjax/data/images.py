"""One image file or array, of any supported kind, as the model's input."""

import os
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

# At the top and not inside `read_film`, which runs in threads: TFDS patches the
# import system while it is imported, and an import in another thread would then
# return a module in place of a function.
from tfds_chestxray14.encoding import check_pixels, to_grey

FORMATS = ("PNG", "JPEG")
SUFFIXES = (".png", ".jpg", ".jpeg")
_ORIENTATION = 0x0112  # EXIF tag
_LOW_CONTRAST = 32
_LONG_SIDE = 1.5
_COLOURED = 8  # mean range of red, green and blue in a pixel, of 255


class Film(NamedTuple):
  """An image as the model reads it, and in its own size.

  Attributes:
    image: `[size, size, 1]` uint8, stretched to a square.
    original: `[H, W]` uint8 grey, upright.
    notes: properties that may make a prediction worthless, as text.
  """

  image: np.ndarray
  original: np.ndarray
  notes: tuple[str, ...]


def read_film(path: str | os.PathLike[str], size: int) -> Film:
  """Read a PNG or JPEG: 8 or 16 bits, grey, RGB, RGBA or palette, any size.

  The image is made grey and resized as in the records of the dataset's builder:
  16-bit values are divided by 257, alpha is dropped, Lanczos with antialiasing.
  An EXIF orientation is applied first.

  Args:
    path: the file.
    size: side of the model's input, in pixels.

  Returns:
    The film.

  Raises:
    ValueError: the file is not a PNG or JPEG, does not decode, or has more than
      `MAX_PIXELS` pixels, in which case it is not decoded; names the file.
  """
  grey, notes = _read(path)
  return _film(grey, notes, size)


def film_of_array(values: np.ndarray, size: int) -> Film:
  """Convert an array to a film, as `read_film` does with a file.

  Args:
    values: `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]`; uint8, uint16
      over its full range, or floats in 0..1.
    size: side of the model's input, in pixels.

  Returns:
    The film.

  Raises:
    ValueError: the shape or type is another one, or floats are NaN or not in
      0..1.
  """
  values = np.asarray(values)
  colours = values.shape[2] if values.ndim == 3 else 1
  if values.ndim not in (2, 3) or colours not in (1, 3, 4) or not values.size:
    raise ValueError(
      f"an image must be [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], got "
      f"{list(values.shape)}"
    )
  if np.issubdtype(values.dtype, np.floating):
    # `not (a and b)`, because a NaN makes every comparison false.
    if not (values.min() >= 0 and values.max() <= 1):
      raise ValueError(
        f"a float image must be in 0..1, got {values.min()}..{values.max()}; "
        "give uint8 or uint16 for other ranges"
      )
    values = np.rint(values * 65535).astype(np.uint16)
  if values.dtype not in (np.uint8, np.uint16):
    raise ValueError(
      f"an image must be uint8, uint16 or float in 0..1, got {values.dtype}"
    )
  if colours == 1:
    grey = to_grey(Image.fromarray(values.reshape(values.shape[:2])))
  else:
    if values.dtype == np.uint16:
      values = np.rint(values / 257).astype(np.uint8)
    grey = to_grey(Image.fromarray(values))
  return _film(grey, [], size)


def _film(grey: Image.Image, notes: list[str], size: int) -> Film:
  original = np.asarray(grey)
  low, high = int(original.min()), int(original.max())
  if high - low < _LOW_CONTRAST:
    notes.append(
      f"grey values span only {low}..{high} of 0..255 (12 bits stored in 16?)"
    )
  if max(grey.size) > _LONG_SIDE * min(grey.size):
    notes.append(f"{grey.width}x{grey.height} is stretched to a square")
  if grey.size != (size, size):
    grey = grey.resize((size, size), Image.Resampling.LANCZOS)
  return Film(np.asarray(grey)[..., None], original, tuple(notes))


def read_original(path: str | os.PathLike[str]) -> np.ndarray:
  """Read an image as `read_film` does, in its own size.

  Args:
    path: the file.

  Returns:
    `[H, W]` uint8.

  Raises:
    ValueError: see `read_film`.
  """
  return np.asarray(_read(path)[0])


def _read(path: str | os.PathLike[str]) -> tuple[Image.Image, list[str]]:
  notes = []
  try:
    with Image.open(path) as image:
      if image.format not in FORMATS:
        raise ValueError(f"is {image.format}, must be PNG or JPEG")
      check_pixels(image)
      image.load()
      if image.getexif().get(_ORIENTATION, 1) != 1:
        notes.append("turned upright as its EXIF orientation says")
      if _is_coloured(image):
        notes.append("in colour, made grey (a photo or a screenshot?)")
      return to_grey(ImageOps.exif_transpose(image)), notes
  except Exception as error:  # Pillow raises many types for damaged files.
    reason = str(error).split("<_io.")[0].strip() or repr(error)
    raise ValueError(f"{path}: {reason}") from error


def _is_coloured(image: Image.Image) -> bool:
  if image.mode in ("L", "LA", "1") or image.mode.startswith("I"):
    return False
  # A sample of 64 x 64 pixels is enough, and fast for large images.
  small = image.resize((64, 64), Image.Resampling.NEAREST).convert("RGB")
  values = np.asarray(small).astype(int)
  return float(np.ptp(values, axis=-1).mean()) > _COLOURED
