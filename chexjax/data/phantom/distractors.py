"""Objects on a film that are not findings: wires, tubes, markers, folds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from chexjax.data.phantom.canvas import Stroke, soft_step
from chexjax.data.phantom.chest import Scene
from chexjax.data.phantom.placing import patch

# Probability on a PA and on an AP film: AP films are of patients in bed, who
# have more lines and tubes.
_CHANCES = {
  "marker": (0.85, 0.9),
  "leads": (0.08, 0.55),
  "catheter": (0.08, 0.4),
  "tube": (0.01, 0.2),
  "pacemaker": (0.05, 0.06),
  "fold": (0.05, 0.2),
  "nipples": (0.15, 0.1),
  "granuloma": (0.15, 0.12),
  "stomach": (0.5, 0.3),
}

# Letters as polylines in a unit square.
_LETTERS: dict[str, list] = {
  "L": [[(0, 0), (0, 1), (0.6, 1)]],
  "R": [
    [(0, 1), (0, 0), (0.5, 0.05), (0.55, 0.4), (0, 0.5)],
    [(0.2, 0.5), (0.6, 1)],
  ],
}


def add_distractors(scene: Scene, rng: np.random.Generator) -> None:
  """Add random objects to the density of a scene.

  Args:
    scene: changed in place.
    rng: source of randomness.
  """
  column = 1 if scene.anatomy.view == "AP" else 0
  wires, metal = [], []
  for name, chances in _CHANCES.items():
    if rng.uniform() >= chances[column]:
      continue
    if name in ("fold", "nipples", "granuloma", "stomach"):
      _SHADOWS[name](scene, rng)
    elif name in ("marker", "pacemaker"):
      metal += _WIRES[name](scene, rng)
    else:
      wires += _WIRES[name](scene, rng)
  if wires:
    scene.density += np.float32(0.2) * scene.canvas.strokes(wires)
  if metal:
    scene.density += np.float32(0.7) * scene.canvas.strokes(metal)


def _marker(scene: Scene, rng: np.random.Generator) -> list[Stroke]:
  """Return a lead letter in a corner."""
  left = rng.uniform() < 0.6
  corner = np.array([0.88 if left else 0.06, 0.06]) + rng.uniform(
    -0.03, 0.03, 2
  )
  if rng.uniform() < 0.2:
    corner[1] += rng.uniform(0.2, 0.5)
  height = rng.uniform(0.03, 0.045)
  return [
    Stroke(np.array(line) * height + corner, 0.006, 1.0)
    for line in _LETTERS["L" if left else "R"]
  ]


def _curve(points: Sequence[ArrayLike], count: int = 16) -> np.ndarray:
  """Return a quadratic Bezier curve through three control points."""
  a, b, c = np.asarray(points)
  t = np.linspace(0, 1, count)[:, None]
  return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c


def _leads(scene: Scene, rng: np.random.Generator) -> list[Stroke]:
  """Return electrodes on the skin and their cables."""
  strokes = []
  for _ in range(int(rng.integers(2, 5))):
    side = rng.choice((-1, 1))
    spot = np.array(
      [0.5 + side * rng.uniform(0.16, 0.4), rng.uniform(0.2, 0.75)]
    )
    end = (0.5 + side * rng.uniform(0.1, 0.5), rng.choice((-0.02, 1.02)))
    bend = (spot + end) / 2 + rng.normal(0, 0.12, 2)
    strokes.append(Stroke(_curve([spot, bend, end]), 0.006, 0.7))
    dot = spot + np.array([(-0.004, 0), (0.004, 0)])
    strokes.append(Stroke(dot, rng.uniform(0.012, 0.02), 1.0))
  return strokes


def _catheter(scene: Scene, rng: np.random.Generator) -> list[Stroke]:
  """Return a central line from neck or arm to above the heart."""
  side = rng.choice((-1, 1))
  start = (0.5 + side * rng.uniform(0.08, 0.4), rng.uniform(0.0, 0.15))
  end = (0.5 - rng.uniform(0.02, 0.05), rng.uniform(0.38, 0.48))
  bend = (0.5 + side * 0.03, rng.uniform(0.12, 0.22))
  return [Stroke(_curve([start, bend, end]), 0.008, 0.6)]


def _tube(scene: Scene, rng: np.random.Generator) -> list[Stroke]:
  """Return a tracheal tube and a feeding tube."""
  x = 0.5 + rng.normal(0, 0.006)
  tubes = [Stroke(np.array([(x, 0), (x, rng.uniform(0.2, 0.27))]), 0.014, 0.5)]
  if rng.uniform() < 0.6:
    down = _curve([(x, 0), (x - 0.03, 0.5), (0.57, rng.uniform(0.75, 0.9))])
    tubes.append(Stroke(down, 0.007, 0.8))
  return tubes


def _pacemaker(scene: Scene, rng: np.random.Generator) -> list[Stroke]:
  """Return the box below the clavicle and its lead to the heart."""
  side = 1 if rng.uniform() < 0.8 else -1
  x, y = 0.5 + side * rng.uniform(0.24, 0.32), rng.uniform(0.2, 0.28)
  heart_x, heart_y = scene.anatomy.heart_centre
  lead = _curve([(x, y), (0.44, 0.12), (heart_x + 0.02, heart_y + 0.08)])
  box = np.array([(x - 0.02, y), (x + 0.02, y)])
  return [Stroke(lead, 0.006, 0.35), Stroke(box, rng.uniform(0.05, 0.07), 0.6)]


def _fold(scene: Scene, rng: np.random.Generator) -> None:
  """Add a skin fold: a long edge, bright on one side, vessels across it."""
  canvas = scene.canvas
  side = rng.choice((-1, 1))
  lean = rng.uniform(-0.25, 0.25)
  at = 0.5 + side * rng.uniform(0.15, 0.33)
  away = side * (canvas.x - np.float32(at)) - np.float32(lean) * (
    canvas.y - np.float32(0.5)
  )
  slope = np.clip(1 - away * np.float32(9), 0, 1) * (away > 0)
  scene.density += np.float32(rng.uniform(0.03, 0.07)) * slope


def _nipples(scene: Scene, rng: np.random.Generator) -> None:
  """Add a pair of faint discs, where nipples are."""
  out, height = rng.uniform(0.2, 0.27), rng.uniform(0.6, 0.68)
  radius = rng.uniform(0.012, 0.018)
  for side in (-1, 1):
    p = patch(scene, (0.5 + side * out, height), (radius, radius))
    scene.density[p.window] += np.float32(0.07) * soft_step(1 - p.radius, 0.5)


def _granuloma(scene: Scene, rng: np.random.Generator) -> None:
  """Add one or two old calcified specks, small and very bright."""
  for _ in range(int(rng.integers(1, 3))):
    centre = (
      0.5 + rng.choice((-1, 1)) * rng.uniform(0.08, 0.28),
      rng.uniform(0.25, 0.6),
    )
    radius = rng.uniform(0.006, 0.01)
    p = patch(scene, centre, (radius, radius), reach=2)
    scene.density[p.window] += np.float32(0.3) * soft_step(1 - p.radius, 0.8)


def _stomach(scene: Scene, rng: np.random.Generator) -> None:
  """Add the air of the stomach below the left dome."""
  dome = scene.anatomy.domes[1]
  centre = 0.5 + rng.uniform(0.12, 0.22), dome + rng.uniform(0.07, 0.1)
  half = rng.uniform(0.04, 0.09), rng.uniform(0.025, 0.05)
  p = patch(scene, centre, half)
  scene.density[p.window] -= np.float32(rng.uniform(0.15, 0.35)) * soft_step(
    1 - p.radius, 0.3
  )


_WIRES = {
  "marker": _marker,
  "leads": _leads,
  "catheter": _catheter,
  "tube": _tube,
  "pacemaker": _pacemaker,
}
_SHADOWS = {
  "fold": _fold,
  "nipples": _nipples,
  "granuloma": _granuloma,
  "stomach": _stomach,
}
