"""What an exported file needs around it, from numpy, SciPy and Pillow alone.

`read_square` makes its input, `cut_box` the box that `chexjax predict` gives.
Both may be copied to where the file goes.
"""

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage


def read_square(path: str, size: int) -> tuple[np.ndarray, tuple[int, int]]:
  """Read a film as the exported program takes it, for `shape` `squeeze`.

  Args:
    path: PNG or JPEG of 8 or 16 bits, grey or colour.
    size: side of the input, in pixels.

  Returns:
    `[size, size, 1]` uint8, and the film's height and width.

  Raises:
    OSError: the file is not there, or no image.
  """
  with Image.open(path) as image:
    upright = ImageOps.exif_transpose(image)
  if upright.mode.startswith("I"):
    values = np.rint(np.asarray(upright, np.float64) / 257)
    upright = Image.fromarray(values.astype(np.uint8))
  grey = upright.convert("L")
  shape = grey.height, grey.width
  if grey.size != (size, size):
    grey = grey.resize((size, size), Image.Resampling.LANCZOS)
  return np.asarray(grey)[..., None], shape


def cut_box(
  heat: np.ndarray, threshold: float, size: int, film: tuple[int, int]
) -> list[float] | None:
  """Box the largest component of a map cut at a percentile.

  Args:
    heat: `[h, w]` float32, one finding's map that `box_map` names.
    threshold: share of the pixels below the cut, 0..1.
    size: side of the input, in pixels.
    film: height and width of the film, in pixels.

  Returns:
    x1, y1, x2, y2 in pixels of the film, None where the map is flat.
  """
  for axis in (0, 1):
    count = heat.shape[axis]
    if count < size:
      place = np.clip(
        (np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1
      )
      low = np.floor(place).astype(int)
      part = (place - low).astype(np.float32)
      part = part[:, None] if axis == 0 else part
      near = heat.take(low, axis)
      far = heat.take(np.minimum(low + 1, count - 1), axis)
      heat = near + (far - near) * part
  if heat.min() == heat.max():
    return None
  rank = int(np.clip(np.rint(heat.size * threshold), 1, heat.size)) - 1
  cut = np.partition(heat, rank, axis=None)[rank]
  labels, _ = ndimage.label(heat >= cut, np.ones((3, 3)))
  largest = np.bincount(labels.ravel())[1:].argmax() + 1
  rows, columns = ndimage.find_objects(labels)[largest - 1]
  high, wide = film[0] / heat.shape[0], film[1] / heat.shape[1]
  box = (columns.start * wide, rows.start * high,
         columns.stop * wide, rows.stop * high)  # fmt: skip
  return [round(side, 2) for side in box]
