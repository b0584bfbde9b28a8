"""Trivial statistics of a film: what a network could learn instead of a chest.

None of them looks at anatomy. Where one predicts a label, the label may hang on
how the film was made, stored or annotated.
"""

import pathlib
from collections.abc import Sequence

import cv2
import numpy as np

from chexjax.data.headers import Header, read_header

STATISTICS = (
  "mean", "contrast", "dark", "bright", "sharpness", "border", "corners",
)  # fmt: skip
_DARK, _BRIGHT = 8, 247  # grey values
_FRAME = 0.03  # of the side: the outermost pixels
_CORNER = 0.15  # of the side: where markers and texts are burnt in
_SUFFIXES = {".png", ".jpg", ".jpeg"}


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


def file_statistics(
  files: Sequence[str], folders: Sequence[pathlib.Path]
) -> dict[str, np.ndarray]:
  """Measure image files by what is known before they are decoded.

  Args:
    files: names, with any ending, of files somewhere in the folders.
    folders: searched through and through; may be empty.

  Returns:
    Of each file `size`, its pixels, NaN where it is not found; and `ending`, 1
    where it is another one than most have.
  """
  stems = {pathlib.PurePosixPath(name).stem for name in files}
  paths = {
    path.stem: path
    for folder in folders
    for path in folder.rglob("*")
    if path.stem in stems and path.suffix.lower() in _SUFFIXES
  }
  size, endings = np.full(len(files), np.nan), []
  for row, name in enumerate(files):
    path = paths.get(pathlib.PurePosixPath(name).stem)
    header = read_header(path) if path else None
    endings.append(path.suffix.lower() if path else "")
    if isinstance(header, Header):
      size[row] = header.width * header.height
  most = max(set(endings), key=endings.count) if endings else ""
  other = np.array([float(ending != most) for ending in endings])
  return {"size": size, "ending": other}


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
