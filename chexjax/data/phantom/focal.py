"""Painters of findings at one place in a lung: opacities, round shadows.

`findings.paint` describes their arguments.
"""

import numpy as np

from chexjax.data.phantom.canvas import Stroke, soft_step
from chexjax.data.phantom.chest import Scene
from chexjax.data.phantom.placing import (
  Delta,
  patch,
  sample_centre,
  sample_size,
)


def paint_nodule(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a small, round, sharp shadow."""
  size = sample_size(rng, 0.064, 0.062, 0.25)
  centre = sample_centre(scene, rng, size, offset=(0.24, 0.06), y=(0.47, 0.14))
  p = patch(scene, centre, (size[0] / 2, size[1] / 2), reach=1.4)
  dome = np.float32(0.75) + np.float32(0.25) * (1 - p.radius)
  values = soft_step(1 - p.radius, 0.4) * dome
  return Delta(p.window, np.float32(0.23 * strength) * values)


def paint_mass(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a large, round or lobulated, homogeneous shadow."""
  size = sample_size(rng, 0.118, 0.135, 0.3)
  centre = sample_centre(scene, rng, size, offset=(0.19, 0.07), y=(0.44, 0.11))
  p = patch(scene, centre, (size[0] / 2, size[1] / 2), reach=1.5)
  theta = np.arctan2(p.across, p.along)
  turn = rng.uniform(0, 2 * np.pi, 2)
  lobes = 1 + np.float32(rng.uniform(0.02, 0.1)) * np.sin(3 * theta + turn[0])
  lobes += np.float32(rng.uniform(0.0, 0.07)) * np.sin(5 * theta + turn[1])
  values = soft_step(lobes - p.radius, 0.22)
  values *= np.float32(0.85) + np.float32(0.15) * (1 - p.radius)
  return Delta(p.window, np.float32(0.29 * strength) * values)


def paint_infiltration(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a faint haze of small patches and streaks."""
  size = sample_size(rng, 0.24, 0.275)
  centre = sample_centre(scene, rng, size, offset=(0.17, 0.05), y=(0.52, 0.11))
  p = patch(scene, centre, (size[0] / 2, size[1] / 2), reach=1.7)
  grain = scene.canvas.noise(rng, 40)[p.window]
  grain = np.clip(grain * np.float32(0.8) + np.float32(0.5), 0, 1.6)
  veil = np.exp(np.float32(-1.3) * p.radius**3) * scene.lung[p.window]
  return Delta(
    p.window, np.float32(0.15 * strength) * veil * (grain + np.float32(0.2))
  )


def paint_pneumonia(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint one cloud, dense in the middle, without any edge."""
  size = sample_size(rng, 0.235, 0.275)
  centre = sample_centre(scene, rng, size, offset=(0.18, 0.05), y=(0.55, 0.1))
  p = patch(scene, centre, (size[0] / 2, size[1] / 2), reach=1.7)
  cloud = scene.canvas.noise(rng, 9)[p.window]
  veil = np.exp(np.float32(-1.2) * p.radius**2) * scene.lung[p.window]
  values = veil * np.clip(1 + np.float32(0.25) * cloud, 0.4, 1.5)
  return Delta(p.window, np.float32(0.25 * strength) * values)


def paint_consolidation(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint a dense patch cut off at a fissure, with dark air bronchograms."""
  size = sample_size(rng, 0.21, 0.22, 0.25)
  centre = sample_centre(scene, rng, size, offset=(0.19, 0.05), y=(0.5, 0.11))
  p = patch(scene, centre, (size[0] / 2, size[1] / 2), reach=1.4)
  ragged = scene.canvas.noise(rng, 16)[p.window] * np.float32(0.12)
  squarish = (p.along**4 + p.across**4) ** np.float32(0.25)
  values = soft_step(1 + ragged - squarish, 0.45)
  fissure = p.across + np.float32(rng.uniform(-0.35, 0.35)) * p.along
  values *= soft_step(fissure + np.float32(0.6), 0.12)
  values *= scene.lung[p.window]
  tubes = scene.canvas.strokes(_bronchi(centre, size, rng))[p.window]
  values *= 1 - np.float32(0.6) * tubes
  return Delta(p.window, np.float32(0.29 * strength) * values)


def _bronchi(
  centre: tuple[float, float],
  size: tuple[float, float],
  rng: np.random.Generator,
) -> list[Stroke]:
  """Return a forked air tube that enters the patch from the hilum."""
  outwards = np.sign(centre[0] - 0.5)
  root = np.array(centre) - (outwards * 0.4 * size[0], 0.1 * size[1])
  strokes = []
  for angle in rng.uniform(-0.25, 0.25) + np.array([-0.55, 0.05, 0.65]):
    heading = np.array([outwards * np.cos(angle), np.sin(angle)])
    length = 0.75 * min(size)
    middle = root + 0.5 * length * heading
    bend = rng.uniform(-0.3, 0.3)
    heading = np.array([outwards * np.cos(angle + bend), np.sin(angle + bend)])
    end = middle + 0.5 * length * heading
    strokes.append(Stroke(np.stack([root, middle, end]), 0.014))
  return strokes


def paint_atelectasis(
  scene: Scene, rng: np.random.Generator, strength: float
) -> Delta:
  """Paint one to three dense plates, or the wedge of a collapsed segment."""
  size = sample_size(rng, 0.168, 0.116, 0.3)
  centre = sample_centre(scene, rng, size, offset=(0.2, 0.06), y=(0.56, 0.11))
  half = size[0] / 2, size[1] / 2
  p = patch(scene, centre, half, reach=1.35)
  slope = np.float32(rng.uniform(-0.45, 0.45))
  bow = np.float32(rng.uniform(-0.25, 0.25))
  level = p.across - slope * p.along - bow * (p.along**2 - np.float32(0.4))
  # Plates have about the same thickness whatever the size of the finding.
  thick = float(np.clip(rng.uniform(0.011, 0.015) / half[1], 0.08, 0.45))
  if rng.uniform() < 0.25:
    out = np.sign(centre[0] - 0.5)
    wedge = np.float32(0.55) + np.float32(0.45 * out) * p.along
    values = soft_step(wedge * np.float32(0.6) - np.abs(level), 0.2)
  else:
    count = int(rng.integers(1, 4)) if half[1] > 0.04 else 1
    places = np.linspace(-0.5, 0.5, count) if count > 1 else (0.0,)
    values = np.zeros_like(level)
    for place in places:
      away = np.abs(level - np.float32(place))
      np.maximum(values, soft_step(thick - away, 1.6 * thick), out=values)
  values *= soft_step(1 - np.abs(p.along), 0.5)
  values *= scene.lung[p.window]
  return Delta(p.window, np.float32(0.26 * strength) * values)
