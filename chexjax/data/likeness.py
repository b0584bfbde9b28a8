"""Whether a picture looks like an upright frontal chest film."""

import cv2
import numpy as np

_SIDE = 16
# By how much another reading must be more alike than the upright one, and how
# alike a frontal film is at least; correlations. On NIH's films these raise a
# false alarm for fewer than one in a hundred: docs/reliability.md.
_MARGIN = 0.1
_LEAST = 0.2
_FLAT = 2.0  # standard deviation of grey values that show nothing

INVERTED = "looks inverted (MONOCHROME1?)"
UPSIDE_DOWN = "looks upside down"
SIDEWAYS = "looks turned on its side"
UNLIKE = "does not look like a frontal chest film (lateral, photo?)"


def doubt(image: np.ndarray) -> str:
  """Says what may be wrong with a film, "" where it looks right.

  Compares a 16 x 16 thumbnail with a drawing of a chest: bright abdomen and
  spine, dark lungs, air beside the neck and the flanks. A hint for a person,
  not a measurement; the image is never changed.

  Args:
    image: `[H, W]` uint8.
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
  y, x = (np.mgrid[:_SIDE, :_SIDE] + 0.5) / _SIDE

  def blot(at_x, at_y, wide, high):
    return np.exp(-(((x - at_x) / wide) ** 2 + ((y - at_y) / high) ** 2) / 2)

  spine, abdomen = blot(0.5, 0.5, 0.06, 0.6), blot(0.5, 0.95, 0.26, 0.22)
  drawn = 0.5 * spine + 1.9 * abdomen
  for lung, side in ((0.3, 0.0), (0.7, 1.0)):
    drawn -= 0.9 * blot(lung, 0.35, 0.08, 0.2)
    drawn -= 1.5 * blot(side, 0.0, 0.35, 0.1)
    drawn -= 1.0 * blot(side, 1.0, 0.06, 0.3)
  return _standardize(drawn)


_CHEST = _chest()
