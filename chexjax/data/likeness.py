"""Whether a picture looks like an upright frontal chest film."""

import cv2
import numpy as np

_SIDE = 16
# Correlations. Another orientation is reported if it is better than the upright
# one by the margin; an upright film has at least the least. On NIH's films
# fewer than one in a hundred is a false alarm: docs/reliability.md.
_MARGIN = 0.1
_LEAST = 0.2
_FLAT = 2.0  # standard deviation of grey values below which nothing is said

INVERTED = "looks inverted (MONOCHROME1?)"
UPSIDE_DOWN = "looks upside down"
SIDEWAYS = "looks turned on its side"
UNLIKE = "does not look like a frontal chest film (lateral, photo?)"


def doubt(image: np.ndarray) -> str:
  """Return what may be wrong with a film, an empty text if nothing.

  A 16 x 16 thumbnail is correlated with a drawing of a chest: bright abdomen
  and spine, dark lungs, air beside the neck and the flanks. The answer is a
  hint for a person; the image is never changed.

  Args:
    image: `[H, W]` uint8.

  Returns:
    `INVERTED`, `UPSIDE_DOWN`, `SIDEWAYS`, `UNLIKE` or an empty text.
  """
  size = (_SIDE, _SIDE)
  thumb = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(float)
  if thumb.std() < _FLAT:
    return ""
  thumb = _standardize(thumb)
  upright = float((thumb * _CHEST).mean())
  readings = {
    INVERTED: -_CHEST,
    UPSIDE_DOWN: _CHEST[::-1],
    SIDEWAYS: np.rot90(_CHEST),
    "the other side": np.rot90(_CHEST, -1),
  }
  alike = {name: float((thumb * of).mean()) for name, of in readings.items()}
  name = max(alike, key=lambda name: alike[name])
  if alike[name] > max(upright + _MARGIN, _LEAST):
    return name if name in (INVERTED, UPSIDE_DOWN) else SIDEWAYS
  return UNLIKE if upright < _LEAST else ""


def _standardize(values: np.ndarray) -> np.ndarray:
  return (values - values.mean()) / values.std()


def _chest() -> np.ndarray:
  """Draw a chest of 16 x 16 pixels with mean 0 and deviation 1."""
  y, x = (np.mgrid[:_SIDE, :_SIDE] + 0.5) / _SIDE

  def blot(at_x: float, at_y: float, wide: float, high: float) -> np.ndarray:
    return np.exp(-(((x - at_x) / wide) ** 2 + ((y - at_y) / high) ** 2) / 2)

  spine, abdomen = blot(0.5, 0.5, 0.06, 0.6), blot(0.5, 0.95, 0.26, 0.22)
  drawn = 0.5 * spine + 1.9 * abdomen
  for lung, side in ((0.3, 0.0), (0.7, 1.0)):
    drawn -= 0.9 * blot(lung, 0.35, 0.08, 0.2)
    drawn -= 1.5 * blot(side, 0.0, 0.35, 0.1)
    drawn -= 1.0 * blot(side, 1.0, 0.06, 0.3)
  return _standardize(drawn)


_CHEST = _chest()
