"""Sizes and places of focal findings, spread like the NIH's boxes.

Centres in ChestX-ray14 (x about .51 +- .2) spread over both lungs, so that a
constant box scores low. The phantom must have the same property.
"""

from typing import NamedTuple

import numpy as np

from chexjax.data.phantom.chest import Scene


class Delta(NamedTuple):
  """What a finding adds to the density, within a window of the canvas.

  Attributes:
    window: rows and columns of the canvas.
    values: float32 of the window's shape; negative is darker.
  """

  window: tuple[slice, slice]
  values: np.ndarray


class Patch(NamedTuple):
  """A rotated ellipse and the pixels around it.

  Attributes:
    window: rows and columns of the canvas.
    along: first coordinate in half axes, 0 at the centre.
    across: second coordinate in half axes.
    radius: distance from the centre in half axes; 1 is the ellipse.
  """

  window: tuple[slice, slice]
  along: np.ndarray
  across: np.ndarray
  radius: np.ndarray


def sample_size(
  rng: np.random.Generator, width: float, height: float, spread: float = 0.3
) -> tuple[float, float]:
  """Draw a width and a height from log-normal distributions.

  Args:
    rng: source of randomness.
    width: median, as a fraction of the image.
    height: median, as a fraction of the image.
    spread: deviation of the logarithm.

  Returns:
    Width and height, as fractions of the image.
  """
  common, single = np.clip(rng.standard_normal(2), -2, 2) * spread
  aspect = 0.4 * single
  return width * np.exp(common + aspect), height * np.exp(common - aspect)


def sample_centre(
  scene: Scene,
  rng: np.random.Generator,
  size: tuple[float, float],
  *,
  offset: tuple[float, float],
  y: tuple[float, float],
) -> tuple[float, float]:
  """Draw a centre inside a lung, away from the findings placed before.

  Args:
    scene: the chest; the place is added to its `taken`.
    rng: source of randomness.
    size: width and height of the finding, as fractions of the image.
    offset: mean and deviation of the distance from the midline.
    y: mean and deviation of the anatomic y.

  Returns:
    Anatomic x and y.
  """
  radius = (size[0] + size[1]) / 4
  margin = min(0.55 * radius, 0.05)
  for attempt in range(40):
    side = 1 if rng.uniform() < 0.53 else -1
    cx = 0.5 + side * abs(rng.normal(*offset))
    cy = rng.normal(*y)
    point = np.asarray(cx, np.float32), np.asarray(cy, np.float32)
    if scene.anatomy.depth(*point) < margin:
      continue
    # After twenty attempts an overlap is better than an unlikely place.
    if attempt >= 20 or all(
      np.hypot(cx - px, cy - py) > 0.8 * (radius + pr)
      for px, py, pr in scene.taken
    ):
      break
  else:
    cx, cy = 0.5 + side * 0.2, 0.45
  scene.taken.append((cx, cy, radius))
  return float(cx), float(cy)


def patch(
  scene: Scene,
  centre: tuple[float, float],
  half_axes: tuple[float, float],
  angle: float = 0.0,
  reach: float = 1.6,
) -> Patch:
  """Return an ellipse's own coordinates of the pixels around it.

  Args:
    scene: the chest; gives the canvas.
    centre: anatomic x and y.
    half_axes: as fractions of the image.
    angle: of the first axis, in radians.
    reach: half size of the window, in half axes.

  Returns:
    The window and the coordinates.
  """
  canvas = scene.canvas
  c, s = np.cos(angle), np.sin(angle)
  a, b = half_axes
  window = canvas.window(
    *centre,
    reach * float(np.hypot(a * c, b * s)),
    reach * float(np.hypot(a * s, b * c)),
  )
  dx = canvas.x[window] - np.float32(centre[0])
  dy = canvas.y[window] - np.float32(centre[1])
  along = np.float32(c / a) * dx + np.float32(s / a) * dy
  across = np.float32(c / b) * dy - np.float32(s / b) * dx
  return Patch(window, along, across, np.sqrt(along**2 + across**2))
