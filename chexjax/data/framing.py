"""How a film of any shape becomes a square, and its boxes with it.

`squeeze` scales both sides to the square, as the published models were trained;
a film that is not square is distorted. `letterbox` keeps the aspect ratio: the
longer side fills the square and the rest is black, evenly on both sides.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from PIL import Image

Shape = Literal["squeeze", "letterbox"]
SHAPES: tuple[str, ...] = get_args(Shape)


class Frame(NamedTuple):
  """The part of a square that a film fills, in whole pixels.

  Attributes:
    left: black columns before the film.
    top: black rows above the film.
    width: columns of the film.
    height: rows of the film.
  """

  left: int
  top: int
  width: int
  height: int


def frame_of(film: tuple[int, int], size: int, shape: str) -> Frame:
  """Return where a film lies in the square.

  Args:
    film: its width and height, in pixels.
    size: side of the square, in pixels.
    shape: one of `SHAPES`.

  Raises:
    ValueError: the shape is another one.
  """
  if shape not in SHAPES:
    raise ValueError(f"shape must be one of {SHAPES}, got {shape!r}")
  if shape == "squeeze" or film[0] == film[1]:
    return Frame(0, 0, size, size)
  scale = size / max(film)
  width, height = (max(1, round(side * scale)) for side in film)
  return Frame((size - width) // 2, (size - height) // 2, width, height)


def to_square(grey: Image.Image, size: int, shape: str) -> np.ndarray:
  """Resize a grey film to a square, as the builder of the records does.

  Lanczos over the whole support of the reduction (antialiased). A film that has
  the size already is left alone.

  Args:
    grey: of mode `L`.
    size: side of the square, in pixels.
    shape: one of `SHAPES`.

  Returns:
    `[size, size, 1]` uint8.
  """
  left, top, width, height = frame_of(grey.size, size, shape)
  if grey.size != (width, height):
    grey = grey.resize((width, height), Image.Resampling.LANCZOS)
  if (width, height) != (size, size):
    square = Image.new("L", (size, size), 0)
    square.paste(grey, (left, top))
    grey = square
  return np.asarray(grey)[..., None]


def into_square(
  boxes: np.ndarray, film: tuple[int, int], size: int, shape: str
) -> np.ndarray:
  """Move boxes from a film to its square.

  Args:
    boxes: `[..., 4]` x1, y1, x2, y2 in pixels of the film.
    film: its width and height, in pixels.
    size: side of the square, in pixels.
    shape: one of `SHAPES`.

  Returns:
    `[..., 4]` x1, y1, x2, y2 in pixels of the square; not clipped.
  """
  start, scale = _map(film, size, shape)
  return np.asarray(boxes, np.float64) * scale + start


def from_square(
  boxes: np.ndarray, film: tuple[int, int], size: int, shape: str
) -> np.ndarray:
  """Move boxes from the square back to the film; undoes `into_square`.

  Args:
    boxes: `[..., 4]` x1, y1, x2, y2 in pixels of the square.
    film: its width and height, in pixels.
    size: side of the square, in pixels.
    shape: one of `SHAPES`.

  Returns:
    `[..., 4]` x1, y1, x2, y2 in pixels of the film; not clipped.
  """
  start, scale = _map(film, size, shape)
  return (np.asarray(boxes, np.float64) - start) / scale


def _map(
  film: tuple[int, int], size: int, shape: str
) -> tuple[np.ndarray, np.ndarray]:
  """Return shift and scale of x, y, x, y."""
  left, top, width, height = frame_of(film, size, shape)
  start = np.array([left, top, left, top], np.float64)
  scale = np.array([width / film[0], height / film[1]] * 2)
  return start, scale
