"""From a map to a box in the pixels of the film."""

from typing import Any

import numpy as np

from chexjax.evaluation.measures.components import component_box
from chexjax.evaluation.measures.heat_maps import cut_values, upsample


def cut_box(
  heat: np.ndarray, percentile: float, *, size: int, original: tuple[int, int]
) -> dict[str, Any]:
  """Cut a map at a percentile and box its largest component.

  Args:
    heat: `[h, w]`.
    percentile: share of pixels below the cut, 0..1.
    size: side of the model's input, in pixels.
    original: height and width of the image as it was.

  Returns:
    `box`, x1, y1, x2, y2 in pixels of the original, None where the map is
    flat; `box_score`, the highest value of the map inside it; `threshold` and
    the `cut` it came to.
  """
  full = upsample(np.asarray(heat, np.float32), (size, size))
  cut = float(cut_values(full, [percentile], "percentile")[0])
  found = {"box": None, "box_score": None, "threshold": percentile, "cut": cut}
  box = None
  if full.max() > full.min():
    box = component_box(full, cut)
  if box is None:
    return found
  x1, y1, x2, y2 = box.astype(int)
  height, width = original
  scale = np.array([width, height, width, height]) / [
    full.shape[1],
    full.shape[0],
    full.shape[1],
    full.shape[0],
  ]
  found["box"] = (box * scale).round(2).tolist()
  found["box_score"] = float(full[y1:y2, x1:x2].max())
  return found
