"""How a stored film is turned upright, and its boxes with it and back."""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

_WAYS_ACROSS, _WAYS_DOWN = "LR", "FH"
# Sides of a pixel that differ by less are taken for the same; more than this
# many times as long is taken for a mistake.
_SAME, _FARTHEST = 0.01, 4.0


class Placement(NamedTuple):
  """The way from stored pixels to the film as it is shown, and back.

  The stored film is transposed, then mirrored, then scaled.

  Attributes:
    columns: of the stored film.
    rows: of the stored film.
    transposed: whether rows become columns.
    mirrored_x: whether left and right change places after that.
    mirrored_y: whether top and bottom change places after that.
    width: of the film as shown, in pixels.
    height: of the film as shown, in pixels.
  """

  columns: int
  rows: int
  transposed: bool
  mirrored_x: bool
  mirrored_y: bool
  width: int
  height: int

  @property
  def turned(self) -> bool:
    """Whether the film is shown turned or mirrored."""
    return self.transposed or self.mirrored_x or self.mirrored_y

  def shown(self, grey: np.ndarray) -> Image.Image:
    """Turn and scale a film, from `[rows, columns]` uint8.

    Returns:
      Of mode `L`, `width` x `height` pixels; Lanczos where it is scaled.
    """
    if self.transposed:
      grey = grey.T
    if self.mirrored_x:
      grey = grey[:, ::-1]
    if self.mirrored_y:
      grey = grey[::-1]
    image = Image.fromarray(np.ascontiguousarray(grey))
    size = self.width, self.height
    if image.size == size:
      return image
    return image.resize(size, Image.Resampling.LANCZOS)

  def to_original(self, boxes: np.ndarray) -> np.ndarray:
    """Move boxes from the film as shown to the stored pixels.

    Args:
      boxes: `[..., 4]` x1, y1, x2, y2 in pixels of the film as shown.

    Returns:
      `[..., 4]` float64 x1, y1, x2, y2 in stored pixels; not clipped.
    """
    x, y = self._axes(boxes, self.width, self.height)
    if self.mirrored_x:
      x = 1 - x[..., ::-1]
    if self.mirrored_y:
      y = 1 - y[..., ::-1]
    if self.transposed:
      x, y = y, x
    return self._joined(x, y, self.columns, self.rows)

  def from_original(self, boxes: np.ndarray) -> np.ndarray:
    """Move boxes from the stored pixels to the film; undoes `to_original`.

    Args:
      boxes: `[..., 4]` x1, y1, x2, y2 in stored pixels.

    Returns:
      `[..., 4]` float64 x1, y1, x2, y2 in pixels of the film as shown.
    """
    x, y = self._axes(boxes, self.columns, self.rows)
    if self.transposed:
      x, y = y, x
    if self.mirrored_x:
      x = 1 - x[..., ::-1]
    if self.mirrored_y:
      y = 1 - y[..., ::-1]
    return self._joined(x, y, self.width, self.height)

  @staticmethod
  def _axes(
    boxes: np.ndarray, width: int, height: int
  ) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.asarray(boxes, np.float64)
    return boxes[..., 0::2] / width, boxes[..., 1::2] / height

  @staticmethod
  def _joined(
    x: np.ndarray, y: np.ndarray, width: int, height: int
  ) -> np.ndarray:
    x, y = x * width, y * height
    return np.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], -1)


def place(
  columns: int,
  rows: int,
  *,
  orientation: tuple[str, ...] = (),
  pixel: tuple[float, float] | None = None,
) -> tuple[Placement, list[str]]:
  """Return how a stored film is shown: patient's left to the right, feet down.

  Args:
    columns: of the stored film.
    rows: of the stored film.
    orientation: where rows and columns go to, such as `("L", "F")`; see
      `view.orientation_of`. Nothing is turned without.
    pixel: height and width of a pixel, in any unit; None for squares.

  Returns:
    The placement, and what was done, as text.
  """
  notes: list[str] = []
  turn = _turn(orientation)
  if turn is None:
    turn = False, False, False
    if orientation:
      notes.append(_said(orientation, "is not of a frontal view, not turned"))
  elif any(turn):
    notes.append(
      _said(orientation, "is undone; boxes are in the stored pixels")
    )
  width, height = float(columns), float(rows)
  high, wide = pixel or (1.0, 1.0)
  if not 1 / _FARTHEST <= high / wide <= _FARTHEST:
    notes.append(f"pixels of {high:g} x {wide:g} are taken for squares")
  elif abs(math.log(high / wide)) > _SAME:
    # The longer side is filled up, so that nothing is lost.
    if high > wide:
      height *= high / wide
    else:
      width *= wide / high
    notes.append(f"pixels of {high:g} x {wide:g} are made square")
  if turn[0]:
    width, height = height, width
  placed = Placement(columns, rows, *turn, round(width), round(height))
  return placed, notes


def _said(orientation: tuple[str, ...], what: str) -> str:
  # A direction has three letters at most; a damaged header may have any text.
  ways = "\\".join(way[:3] for way in orientation)
  return f"Patient Orientation {ways} {what}"


def _turn(orientation: tuple[str, ...]) -> tuple[bool, bool, bool] | None:
  """Return transposed, mirrored_x and mirrored_y; None if not understood."""
  if len(orientation) != 2:
    return None
  along, down = (way[0] for way in orientation)
  if along in _WAYS_ACROSS and down in _WAYS_DOWN:
    return False, along == "R", down == "H"
  if along in _WAYS_DOWN and down in _WAYS_ACROSS:
    return True, down == "R", along == "H"
  return None
