"""The drawing surface: coordinates, soft edges, smooth noise and strokes.

Everything is placed in the anatomic frame: fractions of the image of an
upright, centred patient, x to the right (0.5 is the midline), y downwards.
`Pose` says how that patient lies on the film. Because nothing is placed in
pixels, the same numbers draw the same chest at any size.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

# Variance that a cubic B-spline leaves of white lattice noise, per axis.
_SPLINE_VARIANCE = 151 / 315
_COARSE = 256


class Pose(NamedTuple):
  """How the anatomic frame lies in the image.

  Attributes:
    angle: rotation in radians.
    scale: magnification about the image's centre.
    dx: shift to the right, as a fraction of the image.
    dy: shift downwards, as a fraction of the image.
  """

  angle: float = 0.0
  scale: float = 1.0
  dx: float = 0.0
  dy: float = 0.0


class Stroke(NamedTuple):
  """A polyline with one width and one height.

  Attributes:
    points: `[P, 2]` x, y in the anatomic frame.
    width: fraction of the image.
    value: height of the stroke, 0..1.
  """

  points: np.ndarray
  width: float
  value: float = 1.0


def soft_step(distance: np.ndarray, width: float) -> np.ndarray:
  """Return 0 outside, 1 inside, smooth over a width around distance 0.

  Args:
    distance: to the edge, positive inside.
    width: of the transition.

  Returns:
    The cubic smoothstep (as GLSL's), of the same shape.
  """
  # In place: half of the drawing time is spent on passes over memory.
  s = distance * np.float32(1 / width)
  s += np.float32(0.5)
  np.clip(s, 0, 1, out=s)
  square = s * s
  s *= -2
  s += 3
  square *= s
  return square


class Canvas:
  """A square grid of pixel centres in the anatomic frame.

  Attributes:
    size: pixels a side.
    pose: how the anatomic frame lies in the image.
    x: `[size, size]` float32, anatomic x of each pixel's centre.
    y: `[size, size]` float32, anatomic y of each pixel's centre.
  """

  def __init__(self, size: int, pose: Pose):
    """Lay the anatomic frame over a grid of pixels.

    Args:
      size: pixels a side.
      pose: how the frame lies in the image.
    """
    self.size = size
    self.pose = pose
    centres = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    c = np.float32(math.cos(pose.angle) / pose.scale)
    s = np.float32(math.sin(pose.angle) / pose.scale)
    u = (centres - np.float32(pose.dx))[None, :]
    v = (centres - np.float32(pose.dy))[:, None]
    self.x = np.float32(0.5) + c * u + s * v
    self.y = np.float32(0.5) - s * u + c * v

  def coarse(self) -> "Canvas":
    """Return a smaller canvas, for layers without sharp edges.

    It is 256 pixels wide if that divides the size, else this canvas. Soft edges
    are still three pixels wide on it, and passes over memory are shorter.
    """
    if self.size % _COARSE or self.size == _COARSE:
      return self
    return Canvas(_COARSE, self.pose)

  def enlarge(self, layer: np.ndarray) -> np.ndarray:
    """Enlarge a layer of the coarse canvas to this one, bilinearly.

    Args:
      layer: `[s, s]` float32; s divides the size.

    Returns:
      `[size, size]` float32.
    """
    factor, count = self.size // len(layer), len(layer)
    for axis in (0, 1) if factor > 1 else ():
      padded = np.pad(
        layer, [(1, 1) if axis == k else (0, 0) for k in (0, 1)], mode="edge"
      )
      phases = []
      for phase in range(factor):
        start, t = divmod((phase + 0.5) / factor + 0.5, 1)
        low, high = (
          padded.take(range(int(start) + k, int(start) + k + count), axis)
          for k in (0, 1)
        )
        high -= low
        high *= np.float32(t)
        high += low
        phases.append(high)
      shape = list(layer.shape)
      shape[axis] *= factor
      layer = np.stack(phases, axis + 1).reshape(shape)
    return layer

  def to_image(self, points: np.ndarray) -> np.ndarray:
    """Map points of the anatomic frame to the image.

    Args:
      points: `[..., 2]` anatomic x, y.

    Returns:
      `[..., 2]` float64 x, y as fractions of the image.
    """
    p = np.asarray(points, np.float64) - 0.5
    c = math.cos(self.pose.angle) * self.pose.scale
    s = math.sin(self.pose.angle) * self.pose.scale
    x = c * p[..., 0] - s * p[..., 1] + self.pose.dx
    y = s * p[..., 0] + c * p[..., 1] + self.pose.dy
    return np.stack([x, y], -1) + 0.5

  def window(
    self, x: float, y: float, half_width: float, half_height: float
  ) -> tuple[slice, slice]:
    """Return the rows and columns that cover a box of the anatomic frame.

    Args:
      x: anatomic x of the centre.
      y: anatomic y of the centre.
      half_width: half of the box's width.
      half_height: half of the box's height.

    Returns:
      Two slices, never empty.
    """
    sides = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
    corners = self.to_image(sides * (half_width, half_height) + (x, y))
    low = np.floor(corners.min(0) * self.size).astype(int)
    high = np.ceil(corners.max(0) * self.size).astype(int)
    # One pixel at least, so that a finding off the film still has a shape.
    low = np.clip(low, 0, self.size - 1)
    high = np.clip(high, low + 1, self.size)
    return slice(low[1], high[1]), slice(low[0], high[0])

  def noise(self, rng: np.random.Generator, cells: int) -> np.ndarray:
    """Draw smooth noise with mean 0 and deviation 1.

    The noise is a cubic B-spline through random knots. The number of knots does
    not depend on the canvas, so the field is the same at every size.

    Args:
      rng: source of randomness.
      cells: knots across.

    Returns:
      `[size, size]` float32.
    """
    knots = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    index, weight = _spline(self.size, cells)
    # Weighted sums of whole rows, not a matrix product: a BLAS may change the
    # order of its sums with the number of threads, and the bytes would differ.
    columns = sum(weight[j] * knots[:, index + j] for j in range(4))
    rows = np.zeros((self.size, self.size), np.float32)
    part = np.empty_like(rows)
    for j in range(4):
      np.multiply(weight[j][:, None], columns[index + j], out=part)
      rows += part
    rows /= np.float32(_SPLINE_VARIANCE)
    return rows

  def strokes(self, strokes: list[Stroke]) -> np.ndarray:
    """Draw antialiased polylines; later ones cover earlier ones.

    Args:
      strokes: to draw.

    Returns:
      `[size, size]` float32, 0..1.
    """
    fold = max(1 if self.size > 512 else 2, 512 // self.size)
    side = self.size * fold
    image = Image.new("L", (side, side))
    pen = ImageDraw.Draw(image)
    # All points are placed at once: a call for each stroke costs more.
    ends = np.cumsum([0, *(len(stroke.points) for stroke in strokes)])
    points = [np.zeros((0, 2)), *(stroke.points for stroke in strokes)]
    placed = self.to_image(np.concatenate(points)) * side - 0.5
    lines = np.split(placed, ends[1:-1])
    for stroke, line in zip(strokes, lines):
      width = stroke.width * self.pose.scale * side
      # A stroke thinner than a pixel is one pixel wide and fainter instead.
      ink = stroke.value * min(1.0, width)
      pen.line(
        line.ravel().tolist(),
        fill=round(255 * ink),
        width=max(1, round(width)),
        joint="curve" if width > 3 else None,
      )
    if fold > 1:
      image = image.reduce(fold)
    return np.asarray(image, np.float32) * np.float32(1 / 255)


@functools.lru_cache(maxsize=64)
def _spline(size: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
  """Return the first knot and the four cubic weights of each pixel."""
  position = (np.arange(size) + 0.5) / size * cells
  index = np.floor(position).astype(int)
  t = position - index
  weights = np.stack(
    [
      (1 - t) ** 3,
      3 * t**3 - 6 * t**2 + 4,
      -3 * t**3 + 3 * t**2 + 3 * t + 1,
      t**3,
    ]
  )
  return index, (weights / 6).astype(np.float32)
