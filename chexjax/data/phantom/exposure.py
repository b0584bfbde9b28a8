"""Conversion of density to grey: film curve, noise, collimation."""

import numpy as np

from chexjax.data.phantom.canvas import Canvas


def expose(
  canvas: Canvas,
  density: np.ndarray,
  view: str,
  rng: np.random.Generator,
  grain_rng: np.random.Generator,
) -> np.ndarray:
  """Convert density to an 8-bit film.

  Args:
    canvas: on which the density was drawn.
    density: `[size, size]` float32, see chest.py.
    view: "AP" or "PA"; AP is flatter and noisier.
    rng: exposure, mottle and borders; the same at every size.
    grain_rng: noise of single pixels; differs with the size.

  Returns:
    `[size, size]` uint8.
  """
  ap = view == "AP"
  gain = rng.uniform(1.0, 1.35) - ap * rng.uniform(0.05, 0.4)
  base = rng.uniform(-0.1, 0.03) + ap * rng.uniform(0.0, 0.2)
  tilt = rng.normal(0, 0.04, 2)
  grey = density * np.float32(gain) + np.float32(base)
  grey += np.float32(tilt[0]) * (canvas.x - np.float32(0.5))
  grey += np.float32(tilt[1]) * (canvas.y - np.float32(0.5))
  # Fewer photons reach the film where it is bright, so there is more noise; AP
  # films get a lower dose.
  dose = rng.uniform(0.6, 1.5) * (1.3 if ap else 1.0)
  mottle = canvas.noise(rng, 80)
  mottle += np.float32(0.3) * canvas.noise(rng, 28)
  # A large film has more grain per pixel. Reduced to 128 pixels by averaging,
  # this share of it is left.
  share = 0.9 * min(1.4, (canvas.size / 128) ** 0.25)
  grain = grain_rng.standard_normal(grey.shape, dtype=np.float32)
  mottle += np.float32(share) * grain
  np.clip(grey, 0, None, out=grey)
  grey += np.float32(0.016 * dose) * mottle * np.sqrt(grey + np.float32(0.03))
  np.clip(grey, 0, None, out=grey)
  # The shoulder of the film curve: the densest parts lose contrast.
  fourth = np.square(np.square(grey))
  grey /= np.sqrt(np.sqrt(1 + fourth))
  _collimate(grey, rng)
  return (grey * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _collimate(grey: np.ndarray, rng: np.random.Generator) -> None:
  """Cover some borders with the black or white of collimation."""
  size = len(grey)
  for side in range(4):
    chance, share, tone = rng.uniform(size=3)
    if chance < 0.1:
      band = round(size * 0.04 * share)
      view = np.rot90(grey, side)
      view[:band] = 0.0 if tone < 0.85 else 0.98
