"""The chest without findings: layers of density on a canvas.

Density is what the film shows: 0 is air outside the body, about 0.3 lung,
0.6 soft tissue, 0.9 abdomen. Layers add up; exposure.py converts them to grey.
"""

import dataclasses

import numpy as np

from chexjax.data.phantom.anatomy import Anatomy
from chexjax.data.phantom.canvas import Canvas, Stroke, soft_step


@dataclasses.dataclass
class Scene:
  """A chest being drawn.

  Attributes:
    canvas: on which it is drawn.
    anatomy: of the chest.
    density: `[size, size]` float32, the sum of the layers drawn so far.
    lung: `[size, size]` float32, 0..1, both lungs, behind the heart too.
    heart: `[size, size]` float32, 0..1.
    vessels: `[size, size]` float32; added to the density at the end, because
      a pneumothorax removes them where the lung has collapsed.
    taken: anatomic (x, y, radius) of the focal findings placed so far.
  """

  canvas: Canvas
  anatomy: Anatomy
  density: np.ndarray
  lung: np.ndarray
  heart: np.ndarray
  vessels: np.ndarray
  taken: list[tuple[float, float, float]] = dataclasses.field(
    default_factory=list
  )


def draw_chest(
  canvas: Canvas, anatomy: Anatomy, rng: np.random.Generator
) -> Scene:
  """Draw body, lungs, heart, mediastinum, bones and vessels.

  Args:
    canvas: on which to draw.
    anatomy: of the chest.
    rng: source of randomness.

  Returns:
    The chest, still without its vessels in the density.
  """
  coarse = canvas.coarse()
  x, y = coarse.x, coarse.y
  offset = np.abs(x - np.float32(0.5))
  wall = anatomy.wall(x, y)
  body = _body(anatomy, offset, y)
  lung = soft_step(anatomy.depth(x, y), 0.02)
  heart = _heart(anatomy, x, y)
  middle = _mediastinum(anatomy, x, offset, y, rng)
  below = soft_step(y - anatomy.diaphragm(x), 0.03) * soft_step(wall, 0.1)
  solid = np.maximum(heart, middle)
  density = body * np.float32(0.5 + 0.08 * anatomy.build)
  density -= np.float32(anatomy.air) * lung * (1 - np.float32(0.85) * solid)
  # The maximum, not the sum: the film saturates where two structures overlap.
  density += np.maximum(np.float32(0.17) * solid, np.float32(0.3) * below)
  if anatomy.sex == "F":
    density += _breasts(anatomy, offset, y, rng)
  density += _spine(offset, y) * (1 - np.float32(0.5) * below)
  ribs = _ribs(anatomy, x, offset, y, wall, rng)
  density += body * (1 - np.float32(0.8) * np.maximum(below, solid)) * ribs
  density += np.float32(0.03) * body * coarse.noise(rng, 6)
  density, body, lung, heart = (
    canvas.enlarge(layer) for layer in (density, body, lung, heart)
  )
  density += np.float32(0.10) * body * canvas.strokes(_collar(rng))
  vessels = canvas.strokes(_vessels(anatomy, rng)) * lung
  vessels *= 1 - np.float32(0.85) * heart
  return Scene(canvas, anatomy, density, lung, heart, vessels)


def _body(anatomy: Anatomy, offset: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Return neck, shoulders and trunk, thinner towards the skin."""
  # Shoulders and upper arms reach beyond the film; flanks only sometimes.
  low = np.float32(0.55 if anatomy.view == "AP" else 0.42)
  width = np.float32(0.6) * np.clip(low - y, 0, 0.4)
  width += np.float32(0.43 + 0.08 * anatomy.build)
  shoulder = (
    y
    - np.float32(0.02)
    - np.float32(0.42)
    * (np.maximum(offset - np.float32(0.08), 0) ** np.float32(1.4))
  )
  neck = np.float32(0.11) - offset
  trunk = np.minimum(np.maximum(shoulder, neck), width - offset)
  return np.sqrt(np.clip(trunk * np.float32(6), 0, 1)) * (
    np.float32(0.85) + np.float32(0.25) * y
  )


def _heart(anatomy: Anatomy, x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Return the heart's shadow between two borders, resting on the diaphragm.

  The patient's left border runs from the great vessels outwards to the apex;
  the right border is the even arc of the atrium. Both touch the box of
  `heart_size` where they are widest.
  """
  centre_x, centre_y = anatomy.heart_centre
  width, height = anatomy.heart_size
  down = (y - np.float32(centre_y)) * np.float32(1 / height) + np.float32(0.5)
  apex = np.float32(anatomy.heart_apex)
  left = np.float32(0.2) + np.float32(0.8) * _rise(down / apex)
  left -= np.float32(5) * np.square(np.maximum(down - apex, 0))
  right = np.float32(0.4) + np.float32(0.6) * _rise(down * np.float32(1.6))
  right -= np.float32(2) * np.square(np.maximum(down - np.float32(0.65), 0))
  reach_left = np.float32(centre_x + width / 2 - 0.5)
  reach_right = np.float32(width) - reach_left
  middle = x - np.float32(0.5)
  inside = np.minimum(reach_left * left - middle, middle + reach_right * right)
  ends = np.float32(height) * np.minimum(down, 1 - down) + np.float32(0.01)
  return soft_step(np.minimum(inside, ends), 0.016)


def _rise(t: np.ndarray) -> np.ndarray:
  """Return a smooth rise from 0 at 0 to 1 at 1, with slope 0 at both ends."""
  return soft_step(t - np.float32(0.5), 1.0)


def _mediastinum(
  anatomy: Anatomy,
  x: np.ndarray,
  offset: np.ndarray,
  y: np.ndarray,
  rng: np.random.Generator,
) -> np.ndarray:
  """Return the band of vessels and windpipe, with the aortic arch."""
  narrow = np.float32(rng.uniform(0.045, 0.06) + 0.01 * anatomy.build)
  half = narrow + np.float32(0.015) * np.clip((y - 0.3) * 4, 0, 1)
  band = soft_step(half - offset, 0.03)
  band *= np.float32(0.5) + np.float32(0.5) * soft_step(y - 0.24, 0.25)
  knob_x, knob_y = rng.uniform(0.53, 0.548), rng.uniform(0.28, 0.33)
  # The arch continues as the descending aorta, nearer to the spine.
  below = np.clip(y - np.float32(knob_y), 0, 0.3)
  across = x - np.float32(knob_x) + np.float32(0.25) * below
  arch = np.square(across) + np.square(y - np.float32(knob_y) - below)
  arch = soft_step(np.float32(rng.uniform(0.026, 0.038)) - np.sqrt(arch), 0.02)
  return np.maximum(band, arch)


def _spine(offset: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Return the vertebrae and, dark over the upper ones, the windpipe."""
  bodies = np.float32(0.8) + np.float32(0.2) * np.cos(y * np.float32(95))
  spine = np.float32(0.06) * soft_step(np.float32(0.04) - offset, 0.02)
  air = soft_step(np.float32(0.018) - offset, 0.014)
  air *= soft_step(np.float32(0.36) - y, 0.08)
  return spine * bodies - np.float32(0.13) * air


def _breasts(
  anatomy: Anatomy, offset: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
  """Return two soft discs over the lower lungs."""
  radius = rng.uniform(0.13, 0.18)
  dx = offset - np.float32(rng.uniform(0.19, 0.24))
  dy = y - np.float32(sum(anatomy.domes) / 2 - rng.uniform(-0.02, 0.06))
  r = np.sqrt(dx * dx + dy * dy)
  return np.float32(rng.uniform(0.02, 0.09)) * soft_step(radius - r, 0.05)


def _ribs(
  anatomy: Anatomy,
  x: np.ndarray,
  offset: np.ndarray,
  y: np.ndarray,
  wall: np.ndarray,
  rng: np.random.Generator,
) -> np.ndarray:
  """Return ribs: posterior ones slope down outwards, anterior ones inwards."""
  half = np.float32(sum(anatomy.half_widths) / 2)
  a = offset * (1 / half)
  a2 = a * a
  gap = np.float32(1 / anatomy.rib_gap)
  back = y - np.float32(0.07) * a2 - np.float32(0.13) * a2 * a2 * a2
  front = y + np.float32(0.16) * a - np.float32(rng.uniform(0, 0.06))
  inside = soft_step(wall + np.float32(0.012), 0.03)
  ribs = np.float32(rng.uniform(0.045, 0.075)) * _bands(back * gap, 0.52)
  outer = np.clip(a * np.float32(2.5) - np.float32(0.9), 0, 1)
  ribs += (
    np.float32(rng.uniform(0.025, 0.045)) * outer * _bands(front * gap, 0.45)
  )
  return ribs * inside * soft_step(y - np.float32(anatomy.apex - 0.02), 0.04)


def _bands(phase: np.ndarray, share: float) -> np.ndarray:
  """Return stripes of period 1 that fill `share` of it."""
  away = np.abs(phase - np.floor(phase) - np.float32(0.5)) * 2
  return soft_step(np.float32(share) - away, 0.3)


def _collar(rng: np.random.Generator) -> list[Stroke]:
  """Return the clavicles and the inner border of the shoulder blades."""
  strokes = []
  y = rng.uniform(0.17, 0.2)
  t = np.linspace(0, 1, 9)
  for side in (-1, 1):
    rise = rng.uniform(0.03, 0.08)
    bone = np.stack(
      [0.5 + side * (0.04 + 0.3 * t), y - rise * t + 0.02 * np.sin(6 * t)], -1
    )
    strokes.append(Stroke(bone, 0.026, 0.6))
    for shift in (-0.011, 0.011):
      strokes.append(Stroke(bone + np.array([0, shift]), 0.005, 0.9))
    out = rng.uniform(0.33, 0.4)
    blade = np.stack([0.5 + side * (out - 0.05 * t * t), 0.2 + 0.25 * t], -1)
    strokes.append(Stroke(blade, 0.008, rng.uniform(0.3, 0.6)))
  return strokes


def _vessels(anatomy: Anatomy, rng: np.random.Generator) -> list[Stroke]:
  """Return vessel trees that start at the hila and divide four times."""
  strokes = []
  for side, height in ((-1, 0.44), (1, 0.42)):
    count = 7
    fan = np.linspace(-1.45, 1.4, count) + rng.normal(0, 0.12, count)
    start = np.tile((0.5 + side * 0.07, height), (count, 1))
    start += rng.normal(0, 0.012, start.shape)
    angle = fan
    for level in range(4):
      length = rng.uniform(0.045, 0.085, len(angle))[:, None]
      heading = np.stack([side * np.cos(angle), np.sin(angle)], -1)
      end = start + length * heading
      width = (0.017, 0.011, 0.007, 0.005)[level]
      value = (0.9, 0.65, 0.4, 0.2)[level] * min(1.0, anatomy.vessels)
      strokes += [
        Stroke(np.stack([p, q]), width, value) for p, q in zip(start, end)
      ]
      start = np.repeat(end, 2, axis=0)
      angle = np.repeat(angle, 2)
      angle = angle + rng.uniform(0.1, 0.5, len(angle)) * np.tile(
        (-1, 1), len(angle) // 2
      )
  # The thickest last, so that no branch is drawn over its own trunk.
  return strokes[::-1]
