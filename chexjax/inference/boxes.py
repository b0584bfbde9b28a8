"""A box in pixels of the film, cut from a map."""

from typing import Any

import numpy as np

from chexjax.data.framing import frame_of
from chexjax.evaluation.measures.components import component_box
from chexjax.evaluation.measures.heat_maps import cut_values, upsample


def cut_box(
  heat: np.ndarray,
  percentile: float,
  *,
  size: int,
  original: tuple[int, int],
  shape: str = "squeeze",
) -> dict[str, Any]:
  """Cut a map at a percentile and box its largest 8-connected component.

  Args:
    heat: `[h, w]`; enlarged to `[size, size]` first.
    percentile: share of pixels below the cut, 0..1.
    size: side of the model's input, in pixels.
    original: height and width of the film as it was given, in pixels.
    shape: how the film became the square input; see `data.framing`. What
      letterboxing has filled up is not part of the map.

  Returns:
    `box`: x1, y1, x2, y2 in pixels of the film, None if the map is flat;
    `box_score`: the highest value of the map inside the box, or None;
    `threshold`: the percentile; `cut`: the map's value at that percentile.
  """
  full = upsample(np.asarray(heat, np.float32), (size, size))
  full = of_film(full, original, shape)
  cut = float(cut_values(full, [percentile], "percentile")[0])
  found: dict[str, Any] = {
    "box": None,
    "box_score": None,
    "threshold": percentile,
    "cut": cut,
  }
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


def of_film(
  full: np.ndarray, original: tuple[int, int], shape: str
) -> np.ndarray:
  """Return the part of a map that lies on the film.

  Args:
    full: `[S, S]` over the square input.
    original: height and width of the film as it was given, in pixels.
    shape: see `cut_box`.

  Returns:
    `[h, w]`; all of the map unless the film was letterboxed.
  """
  height, width = original
  frame = frame_of((width, height), len(full), shape)
  rows = slice(frame.top, frame.top + frame.height)
  return full[rows, frame.left : frame.left + frame.width]
