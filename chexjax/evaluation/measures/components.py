"""Boxes of the connected components of a thresholded map.

Pixels that touch by a side or a corner are connected (8-connectivity, as
OpenCV's contours, which the authors use). Two rules pick one component:

- `largest`: the most pixels; among equals, the one met first, row by row;
- `most_active`: the one that holds the highest value; of several pixels with
  that value, the first row by row.

`component_box` cuts a map once, with scikit-image. Scoring cuts each map 41
times; labelling every cut anew takes several times as long. So
`find_components` handles a mask as its runs (maximal stretches of one row), a
few thousand instead of a quarter of a million pixels, and links the runs of
all cuts into one graph: 41 cuts of a 512 x 512 map take about 10 ms.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csgraph, csr_array

RULES = ("largest", "most_active")


class Components(NamedTuple):
  """The components of all cuts, cut after cut, as they are met row by row.

  Attributes:
    level: `[C]` int, the number of the cut.
    box: `[C, 4]` float32 in pixels of the map, x2 and y2 exclusive.
    size: `[C]` number of pixels.
    first: `[C, 2]` int, row and column of the first pixel.
    active: `[T]` int, the component that holds the peak; -1 for none.
  """

  level: np.ndarray
  box: np.ndarray
  size: np.ndarray
  first: np.ndarray
  active: np.ndarray


def _runs(
  heat: np.ndarray, cuts: np.ndarray, stride: int
) -> tuple[np.ndarray, np.ndarray]:
  """Return the starts and ends of all runs, on one line, cut after cut.

  Row y of cut t begins at `(t (h + 1) + y) stride` with an empty pixel, and an
  empty row follows each cut. So no two rows or cuts touch by accident.
  """
  height = heat.shape[0]
  line = np.full(height * stride + 1, -np.inf, np.float32)
  line[:-1].reshape(height, stride)[:, 1:] = heat
  flips = []
  for t, cut in enumerate(cuts):
    mask = line >= cut
    flip = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    flips.append(flip + t * (height + 1) * stride)
  every = np.concatenate(flips)
  return every[0::2], every[1::2]


def _label_runs(start: np.ndarray, end: np.ndarray, stride: int) -> np.ndarray:
  """Return the component of each run; runs that touch have the same."""
  first = np.searchsorted(end, start + stride, "left")
  stop = np.searchsorted(start, end + stride, "right")
  count = stop - first
  ptr = np.concatenate([[0], np.cumsum(count)])
  below = np.arange(ptr[-1]) + np.repeat(first - ptr[:-1], count)
  graph = csr_array(
    (np.ones(below.size, np.int8), below, ptr), (count.size,) * 2
  )
  return csgraph.connected_components(graph, directed=False)[1]


def peak_of(heat: np.ndarray) -> tuple[int, int]:
  """Return the place of the highest value; of equals the first, row by row.

  Args:
    heat: `[h, w]`.

  Returns:
    The row and the column.
  """
  row, column = divmod(int(heat.argmax()), heat.shape[1])
  return row, column


def find_components(
  heat: np.ndarray, cuts: np.ndarray, *, peak: tuple[int, int] | None = None
) -> Components:
  """Find the components of a map at every cut.

  Args:
    heat: `[h, w]` finite float32.
    cuts: `[T]` values; a pixel is kept where it is >= the cut.
    peak: `peak_of(heat)`, where it is known.

  Returns:
    The `Components`, T cuts together.
  """
  height, width = heat.shape
  stride = width + 1
  start, end = _runs(heat, cuts, stride)
  row, x1 = np.divmod(start, stride)
  level, y1 = np.divmod(row, height + 1)
  x1, x2 = x1 - 1, x1 - 1 + end - start
  label = _label_runs(start, end, stride)
  first = np.full(label.max(initial=-1) + 1, label.size)
  np.minimum.at(first, label, np.arange(label.size))
  order = np.argsort(first)
  rank = np.argsort(order)[label]  # numbers in the order they are met
  first = first[order]
  box = np.zeros((first.size, 4), np.float32)
  box[:, :2] = max(height, width)
  np.minimum.at(box[:, 0], rank, x1.astype(np.float32))
  np.minimum.at(box[:, 1], rank, y1.astype(np.float32))
  np.maximum.at(box[:, 2], rank, x2.astype(np.float32))
  np.maximum.at(box[:, 3], rank, (y1 + 1).astype(np.float32))
  return Components(
    level[first],
    box,
    np.bincount(rank, weights=end - start, minlength=first.size),
    np.stack([y1[first], x1[first]], -1),
    _active(heat, cuts, start, rank, peak_of(heat) if peak is None else peak),
  )


def _active(
  heat: np.ndarray,
  cuts: np.ndarray,
  start: np.ndarray,
  rank: np.ndarray,
  peak: tuple[int, int],
) -> np.ndarray:
  """Return the `[T]` component that holds the peak at each cut; -1 for none."""
  height, width = heat.shape
  y, x = peak
  if not start.size:
    return np.full(len(cuts), -1)
  place = (np.arange(len(cuts)) * (height + 1) + y) * (width + 1) + x + 1
  holder = rank[np.searchsorted(start, place, "right") - 1]
  return np.where(heat[y, x] >= cuts, holder, -1)


def _largest(found: Components, num_cuts: int) -> np.ndarray:
  """Return the `[T]` number of each cut's largest component; -1 for none."""
  # The sort is stable: of equals, the component met first stays first.
  order = np.lexsort((-found.size, found.level))
  levels, place = np.unique(found.level[order], return_index=True)
  chosen = np.full(num_cuts, -1)
  chosen[levels] = order[place]
  return chosen


def picked_boxes(found: Components, num_cuts: int) -> dict[str, np.ndarray]:
  """Return the box that each rule picks at every cut.

  Args:
    found: of `find_components`.
    num_cuts: number of cuts, T.

  Returns:
    For each of `RULES`, `[T, 4]` float32 in pixels of the map; all zero where
    a cut keeps no pixel.
  """
  chosen = {"largest": _largest(found, num_cuts), "most_active": found.active}
  boxes = {rule: np.zeros((num_cuts, 4), np.float32) for rule in RULES}
  for rule, number in chosen.items():
    some = number >= 0
    boxes[rule][some] = found.box[number[some]]
  return boxes


def component_boxes(
  heat: np.ndarray, cuts: np.ndarray, *, peak: tuple[int, int] | None = None
) -> dict[str, np.ndarray]:
  """Box the component that each rule picks, at every cut.

  Args:
    heat: `[h, w]` finite float32.
    cuts: `[T]` values; a pixel is kept where it is >= the cut.
    peak: `peak_of(heat)`, where it is known.

  Returns:
    For each of `RULES`, `[T, 4]` float32 in pixels of the map, x2 and y2
    exclusive; all zero, with an IoU of 0, where a cut keeps no pixel. As T
    calls of `component_box`, only faster.
  """
  return picked_boxes(find_components(heat, cuts, peak=peak), len(cuts))


def component_box(
  heat: ArrayLike, cut: float, *, rule: str = "largest"
) -> np.ndarray | None:
  """Box one component at one cut, 8-connected.

  Args:
    heat: `[h, w]` finite.
    cut: a pixel is kept where it is >= the cut.
    rule: one of `RULES`.

  Returns:
    `[4]` float32 x1, y1, x2, y2 in pixels of the map, x2 and y2 exclusive;
    None where no pixel is kept. As `skimage.measure.regionprops`, whose
    `bbox` is in the order y1, x1, y2, x2.

  Raises:
    ValueError: if `rule` is none of `RULES`.

  Example:
    >>> heat = np.zeros((8, 8))
    >>> heat[2:5, 1:4], heat[7, 7] = 0.5, 1.0
    >>> component_box(heat, 0.5).tolist()
    [1.0, 2.0, 4.0, 5.0]
    >>> component_box(heat, 0.5, rule="most_active").tolist()
    [7.0, 7.0, 8.0, 8.0]
  """
  from skimage import measure  # Imported late: it takes 0.4 s to load.

  if rule not in RULES:
    raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
  heat = np.asarray(heat, np.float32)
  labels = measure.label(heat >= np.float32(cut), connectivity=2)
  regions = measure.regionprops(labels)  # in the order they are met
  if not regions:
    return None
  if rule == "largest":
    region = max(regions, key=lambda region: region.area)
  else:
    region = regions[labels[peak_of(heat)] - 1]
  y1, x1, y2, x2 = region.bbox
  return np.array([x1, y1, x2, y2], np.float32)
