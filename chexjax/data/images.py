"""One image file or array, of any supported kind, as the model's input."""

import os
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from chexjax.data.decoding import contrast_notes, read_upright
from chexjax.data.framing import to_square
from chexjax.dicom.placement import Placement
from tfds_chestxray14.encoding import to_grey

Laterals = Literal["refuse", "flag"]
_LONG_SIDE = 1.5


class Film(NamedTuple):
  """An image as the model reads it, and in its own size.

  Attributes:
    image: `[size, size, 1]` uint8.
    original: `[H, W]` uint8 grey, upright.
    notes: properties that may make a prediction worthless, as text.
    placement: the way from `original` to the stored pixels of a DICOM file and
      back, None for other films.
  """

  image: np.ndarray
  original: np.ndarray
  notes: tuple[str, ...]
  placement: Placement | None = None

  @property
  def frame(self) -> tuple[int, int]:
    """Width and height of the frame that boxes are told in, in pixels.

    The film as viewers show it; of a DICOM file its stored pixels.
    """
    if self.placement is not None:
      return self.placement.columns, self.placement.rows
    return self.original.shape[1], self.original.shape[0]

  def told_box(self, box: list[float]) -> list[float]:
    """Return a box of `original` in the frame that boxes are told in.

    Args:
      box: x1, y1, x2, y2 in pixels of `original`.

    Returns:
      x1, y1, x2, y2 in pixels of `frame`.
    """
    if self.placement is None:
      return box
    return self.placement.to_original(np.array(box)).round(2).tolist()


def read_film(
  path: str | os.PathLike[str],
  size: int,
  *,
  shape: str = "squeeze",
  laterals: Laterals = "refuse",
) -> Film:
  """Read a film with the pixels that training sees; see `read_upright`.

  Args:
    path: the file.
    size: side of the model's input, in pixels.
    shape: how the film becomes a square, as the model was trained; see
      `framing`.
    laterals: whether a film that its DICOM header calls a lateral view is
      refused, or read with a note.

  Returns:
    The film.

  Raises:
    ValueError: the file is no PNG, JPEG or DICOM film, does not decode, is a
      lateral view that is refused, or has more than `MAX_PIXELS` pixels, in
      which case it is not decoded; names the file.
  """
  grey, notes, placement, view = read_upright(path)
  if view == "lateral" and laterals == "refuse":
    said = next(note for note in notes if "lateral" in note)
    raise ValueError(
      f"{path}: {said}; the network knows frontal films (laterals=flag)"
    )
  return _film(grey, notes, size, shape)._replace(placement=placement)


def film_of_array(
  values: np.ndarray, size: int, *, shape: str = "squeeze"
) -> Film:
  """Convert an array to a film, as `read_film` does with a file.

  Args:
    values: `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]`; uint8, uint16
      over its full range, or floats in 0..1.
    size: side of the model's input, in pixels.
    shape: how the film becomes a square; see `framing`.

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
  return _film(grey, contrast_notes(grey), size, shape)


def _film(grey: Image.Image, notes: list[str], size: int, shape: str) -> Film:
  if shape == "squeeze" and max(grey.size) > _LONG_SIDE * min(grey.size):
    notes = [*notes, f"{grey.width}x{grey.height} is stretched to a square"]
  image = to_square(grey, size, shape)
  return Film(image, np.asarray(grey), tuple(notes))


def read_original(path: str | os.PathLike[str]) -> np.ndarray:
  """Read an image as `read_film` does, in its own size.

  Args:
    path: the file.

  Returns:
    `[H, W]` uint8.

  Raises:
    ValueError: see `read_film`.
  """
  return np.asarray(read_upright(path).grey)
