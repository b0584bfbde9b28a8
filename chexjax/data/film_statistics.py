"""Trivial statistics of a film: what a network could learn instead of a chest.

None of them looks at anatomy. Where one predicts a label, the label may hang on
how the film was made, stored or annotated.
"""

import cv2
import numpy as np

STATISTICS = (
  "mean", "contrast", "dark", "bright", "sharpness", "border", "corners",
)  # fmt: skip
_DARK, _BRIGHT = 8, 247  # grey values
_FRAME = 0.03  # of the side: the outermost pixels
_CORNER = 0.15  # of the side: where markers and texts are burnt in


def film_statistics(image: np.ndarray) -> dict[str, float]:
  """Measure a film.

  Args:
    image: `[H, W, 1]` or `[H, W]` uint8.

  Returns:
    By the names of `STATISTICS`:

    - `mean`: grey value; `contrast`: deviation of the grey values;
    - `dark`, `bright`: share of pixels at most 8, and at least 247;
    - `sharpness`: deviation of the Laplacian over that of the grey values;
    - `border`: share of the outermost pixels at most 8, as of a black frame;
    - `corners`: largest difference, over the four corners, of the brightest
      pixels to the corner's median, as of a burnt-in text.
  """
  image = np.asarray(image).reshape(image.shape[:2])
  wide = image.astype(np.float32)
  deviation = float(wide.std())
  laplacian = float(cv2.Laplacian(wide, cv2.CV_32F).std())
  return {
    "mean": float(wide.mean()),
    "contrast": deviation,
    "dark": float((image <= _DARK).mean()),
    "bright": float((image >= _BRIGHT).mean()),
    "sharpness": laplacian / max(deviation, 1e-6),
    "border": float((_frame(image) <= _DARK).mean()),
    "corners": max(_excess(corner) for corner in _corners(image)),
  }


def _frame(image: np.ndarray) -> np.ndarray:
  """Return the outermost pixels as one vector."""
  rows, columns = (max(1, round(_FRAME * side)) for side in image.shape)
  sides = (
    image[:rows], image[-rows:],
    image[rows:-rows, :columns], image[rows:-rows, -columns:],
  )  # fmt: skip
  return np.concatenate([side.ravel() for side in sides])


def _corners(image: np.ndarray) -> list[np.ndarray]:
  high, wide = (max(2, round(_CORNER * side)) for side in image.shape)
  return [
    image[rows, columns]
    for rows in (slice(high), slice(-high, None))
    for columns in (slice(wide), slice(-wide, None))
  ]


def _excess(corner: np.ndarray) -> float:
  """Return how much the brightest hundredth is above the median."""
  return float(np.percentile(corner, 99) - np.median(corner))
