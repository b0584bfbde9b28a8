"""Painters of findings of both lungs, and of those in or behind the heart.

`findings.paint` describes their arguments.
"""

import numpy as np

from chexjax.data.phantom.canvas import Stroke, soft_step
from chexjax.data.phantom.chest import Scene
from chexjax.data.phantom.placing import Delta, patch

_WHOLE = (slice(None), slice(None))


def paint_edema(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint bat wings around the hila, and Kerley lines at the bases."""
  x, y = scene.canvas.x, scene.canvas.y
  reach, fall = rng.uniform(0.1, 0.14), rng.uniform(0.15, 0.2)
  dx = (np.abs(x - np.float32(0.5)) - np.float32(0.12)) * np.float32(1 / reach)
  dy = (y - np.float32(rng.uniform(0.43, 0.48))) * np.float32(1 / fall)
  wings = np.exp(-(dx * dx + dy * dy))
  cloud = np.clip(1 + np.float32(0.3) * scene.canvas.noise(rng, 14), 0.3, 2)
  lines = []
  for side in (-1, 1):
    out = 0.5 + side * (scene.anatomy.half_widths[(side + 1) // 2] - 0.015)
    for height in rng.uniform(0.5, 0.68, 7):
      tip = (out - side * rng.uniform(0.04, 0.07), height + 0.008)
      lines.append(Stroke(np.array([(out, height), tip]), 0.006, 0.5))
  values = np.float32(0.25) * wings * cloud + np.float32(
    0.16
  ) * scene.canvas.strokes(lines)
  return Delta(_WHOLE, np.float32(strength) * scene.lung * values)


def paint_emphysema(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint bullae; the anatomy already has large lungs and a flat diaphragm."""
  values = np.zeros_like(scene.density)
  for _ in range(int(rng.integers(1, 4))):
    side = rng.choice((-1, 1))
    centre = 0.5 + side * rng.uniform(0.12, 0.26), rng.uniform(0.2, 0.42)
    half = rng.uniform(0.03, 0.06, 2)
    p = patch(scene, centre, (half[0], half[1]))
    hole = soft_step(1 - p.radius, 0.3)
    rim = soft_step(np.float32(0.08) - np.abs(p.radius - 1), 0.12)
    values[p.window] += np.float32(0.05) * (rim - hole)
  return Delta(_WHOLE, np.float32(strength) * scene.lung * values)


def paint_fibrosis(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a honeycomb: coarse bright strands, basal and peripheral."""
  canvas = scene.canvas
  depth = scene.anatomy.depth(canvas.x, canvas.y)
  where = soft_step(canvas.y - np.float32(rng.uniform(0.42, 0.52)), 0.2)
  rim = soft_step(np.float32(0.06) - depth, 0.06)
  rim *= soft_step(canvas.y - np.float32(0.25), 0.2)
  where = np.maximum(where, np.float32(0.8) * rim)
  if rng.uniform() < 0.35:
    side = np.float32(rng.choice((-1, 1)))
    where *= np.float32(0.25) + np.float32(0.75) * (
      side * (canvas.x - np.float32(0.5)) > 0
    )
  # The zero crossings of smooth noise are broken walls around cells of many
  # sizes.
  walls = np.abs(canvas.noise(rng, 60))
  walls += np.float32(0.6) * np.abs(canvas.noise(rng, 110))
  strands = np.clip(np.float32(1.2) - walls, 0, 1)
  strands *= np.clip(1 + np.float32(0.6) * canvas.noise(rng, 12), 0, 2)
  where = where * (1 - np.float32(0.6) * scene.heart)
  values = np.float32(0.2) * strands - np.float32(0.04) * (1 - strands)
  return Delta(_WHOLE, np.float32(strength) * scene.lung * where * values)


def paint_cardiomegaly(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a little more density over the heart, which is large by anatomy."""
  return Delta(_WHOLE, np.float32(0.02) * scene.heart)


def paint_hernia(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a round shadow behind the heart: air above a level of fluid."""
  radius = float(rng.uniform(0.06, 0.095))
  floor = sum(scene.anatomy.domes) / 2
  centre = (
    0.5 + float(rng.normal(0.025, 0.03)),
    floor + 0.02 - radius * float(rng.uniform(0.7, 1.1)),
  )
  half = radius, radius * float(rng.uniform(0.8, 1.0))
  p = patch(scene, centre, half, reach=1.3)
  inside = soft_step(1 - p.radius, 0.12)
  rim = soft_step(np.float32(0.1) - np.abs(p.radius - np.float32(0.93)), 0.1)
  level = np.float32(rng.uniform(-0.25, 0.3))
  air = soft_step(level - p.across, 0.1) * soft_step(0.9 - p.radius, 0.12)
  amount = np.float32(0.5 + 0.5 * strength)
  values = np.float32(0.08) * inside + np.float32(0.07) * rim
  return Delta(p.window, amount * (values - np.float32(0.3) * air))
