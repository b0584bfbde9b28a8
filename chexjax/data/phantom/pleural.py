"""Painters of findings along the wall: fluid, air, scars.

`findings.paint` describes their arguments.
"""

import numpy as np

from chexjax.data.phantom.canvas import soft_step
from chexjax.data.phantom.chest import Scene
from chexjax.data.phantom.placing import Delta


def _half(scene: Scene, side: int) -> tuple[slice, slice]:
  """Return the window of one half of the chest: side -1 or 1."""
  return scene.canvas.window(0.5 + side * 0.25, 0.5, 0.25, 0.48)


def _side(rng: np.random.Generator, left: float) -> int:
  """Draw a side of the image: 1 (the patient's left) with chance `left`."""
  return 1 if rng.uniform() < left else -1


def paint_effusion(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint fluid in the costophrenic angle, its upper edge a meniscus."""
  side = _side(rng, 0.5)
  anatomy = scene.anatomy
  window = _half(scene, side)
  x, y = scene.canvas.x[window], scene.canvas.y[window]
  half = anatomy.half_widths[(side + 1) // 2]
  dome = anatomy.domes[(side + 1) // 2]
  height = float(np.clip(0.29 * np.exp(rng.normal(0, 0.35)), 0.12, 0.5))
  breadth = float(np.clip(rng.normal(0.8, 0.16), 0.5, 1.1)) * half
  outer = side * (x - np.float32(0.5)) - np.float32(half - breadth)
  arm = np.clip(outer * np.float32(1 / breadth), 0, 1.1)
  floor = dome + 0.75 * anatomy.sulcus
  # The surface is level in the middle and rises at the wall: a meniscus.
  level = soft_step(arm - np.float32(0.3), 0.6)
  climb = np.float32(0.65) * level + np.float32(0.35) * arm**3
  surface = floor - np.float32(height) * climb
  fluid = soft_step(y - surface, 0.035) * scene.lung[window]
  amount = np.float32((anatomy.air + 0.13) * min(1.0, 0.3 + 0.55 * strength))
  scene.taken.append((0.5 + side * 0.28, dome, 0.12))
  return Delta(window, amount * fluid)


def paint_pneumothorax(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint air beside the lung: a dark crescent behind a thin bright line.

  The vessels end at that line.
  """
  side = _side(rng, 0.42)
  anatomy = scene.anatomy
  window = _half(scene, side)
  x, y = scene.canvas.x[window], scene.canvas.y[window]
  length = float(np.clip(0.27 * np.exp(rng.normal(0, 0.3)), 0.14, 0.5))
  thick = float(rng.uniform(0.055, 0.11)) * (0.7 + 0.3 * strength)
  if rng.uniform() < 0.78:
    middle = anatomy.apex + 0.42 * length
  else:
    middle = float(rng.uniform(0.35, 0.6))
  t = (y - np.float32(middle)) * np.float32(2 / length)
  edge = np.float32(thick) * np.sqrt(np.clip(1 - t * t, 0, 1))
  depth = anatomy.depth(x, y)
  # Not along the mediastinum.
  lateral = soft_step(side * (x - np.float32(0.5)) - np.float32(0.15), 0.05)
  air = soft_step(edge - depth, 0.01) * (edge > 0.005) * scene.lung[window]
  air *= lateral
  line = np.abs(edge - depth)
  line = soft_step(np.float32(0.006) - line, 0.008) * (edge > 0.015) * lateral
  scene.vessels[window] *= 1 - air
  dark = np.float32(0.17 * (0.5 + 0.5 * strength))
  return Delta(window, np.float32(0.1) * line - dark * air)


def paint_thickening(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a rind along the wall or over the apex, its inner edge hard."""
  side = _side(rng, 0.5)
  window = _half(scene, side)
  x, y = scene.canvas.x[window], scene.canvas.y[window]
  anatomy = scene.anatomy
  depth = anatomy.depth(x, y)
  start = float(rng.choice([anatomy.apex - 0.02, rng.uniform(0.25, 0.4)]))
  end = start + float(rng.uniform(0.22, 0.36))
  mean = np.float32(rng.uniform(0.03, 0.05))
  thick = mean * (1 + np.float32(0.25) * scene.canvas.noise(rng, 14)[window])
  # Not along the mediastinum or the diaphragm.
  lateral = soft_step(side * (x - np.float32(0.5)) - np.float32(0.1), 0.05)
  lateral *= soft_step(anatomy.diaphragm(x) - y - np.float32(0.07), 0.03)
  rind = np.float32(0.24) * soft_step(thick - depth, 0.012)
  edge = soft_step(np.float32(0.005) - np.abs(thick - depth), 0.006)
  rind += np.float32(0.16) * edge
  rind *= lateral * scene.lung[window]
  rind *= soft_step(y - np.float32(start), 0.03)
  rind *= soft_step(np.float32(end) - y, 0.05)
  return Delta(window, np.float32(strength) * rind)
