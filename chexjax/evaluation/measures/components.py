"""Boxes of the connected components of a thresholded map, for many cuts.

Pixels that touch by a side or a corner are connected (8-connectivity, as
OpenCV's contours, which the authors use). Two rules pick one component:

- `largest`: the most pixels; among equals, the one met first, row by row;
- `most_active`: the one holding the highest value; of several pixels with
  that value, the first row by row.

A mask is handled as its runs (maximal stretches of one row), a few thousand
instead of a quarter of a million pixels; the runs of all cuts are linked into
one graph, so that 41 cuts of a 512 x 512 map take about 10 ms.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csgraph, csr_array

RULES = ("largest", "most_active")


class Components(NamedTuple):
  """The components of all cuts, cut after cut, as they are met row by row.

  Attributes:
    level: `[C]` int, the cut.
    box: `[C, 4]` float32 in pixels of the map, x2 and y2 exclusive.
    size: `[C]` pixels.
    first: `[C, 2]` int, row and column of the first pixel.
    active: `[T]` int, the component holding the peak; -1 for none.
  """

  level: np.ndarray
  box: np.ndarray
  size: np.ndarray
  first: np.ndarray
  active: np.ndarray


def _runs(heat, cuts, stride):
  """Give starts and ends of all runs, on one line, cut after cut.

  Row y of cut t begins at `(t (h + 1) + y) stride`, with an empty pixel; an
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
  flips = np.concatenate(flips)
  return flips[0::2], flips[1::2]


def _label(start, end, stride):
  """Give `[runs]` component numbers: runs of neighbouring rows that touch."""
  first = np.searchsorted(end, start + stride, "left")
  stop = np.searchsorted(start, end + stride, "right")
  count = stop - first
  ptr = np.concatenate([[0], np.cumsum(count)])
  below = np.arange(ptr[-1]) + np.repeat(first - ptr[:-1], count)
  graph = csr_array(
    (np.ones(below.size, np.int8), below, ptr), (count.size,) * 2
  )
  return csgraph.connected_components(graph, directed=False)[1]


def peak_of(heat):
  """Give row and column of the highest value; the first, row by row."""
  return np.divmod(int(heat.argmax()), heat.shape[1])


def find_components(heat, cuts, *, peak=None):
  """Find the components of a map at every cut.

  Args:
    heat: `[h, w]` finite float32.
    cuts: `[T]` values; a pixel is kept when it is >= the cut.
    peak: `peak_of(heat)`, when it is known.

  Returns:
    `Components`.
  """
  height, width = heat.shape
  stride = width + 1
  start, end = _runs(heat, cuts, stride)
  row, x1 = np.divmod(start, stride)
  level, y1 = np.divmod(row, height + 1)
  x1, x2 = x1 - 1, x1 - 1 + end - start
  label = _label(start, end, stride)
  first = np.full(label.max(initial=-1) + 1, label.size)
  np.minimum.at(first, label, np.arange(label.size))
  order = np.argsort(first)
  rank = np.argsort(order)[label]  # numbers in the order they are met
  first = first[order]
  box = np.zeros((first.size, 4), np.float32)
  box[:, :2] = max(height, width)
  for i, (ufunc, edge) in enumerate(
    [
      (np.minimum, x1),
      (np.minimum, y1),
      (np.maximum, x2),
      (np.maximum, y1 + 1),
    ]
  ):
    ufunc.at(box[:, i], rank, edge.astype(np.float32))
  return Components(
    level[first],
    box,
    np.bincount(rank, weights=end - start, minlength=first.size),
    np.stack([y1[first], x1[first]], -1),
    _active(heat, cuts, start, rank, peak),
  )


def _active(heat, cuts, start, rank, peak):
  """Give the `[T]` component that holds the peak at each cut; -1 for none."""
  height, width = heat.shape
  y, x = peak_of(heat) if peak is None else peak
  if not start.size:
    return np.full(len(cuts), -1)
  place = (np.arange(len(cuts)) * (height + 1) + y) * (width + 1) + x + 1
  holder = rank[np.searchsorted(start, place, "right") - 1]
  return np.where(heat[y, x] >= cuts, holder, -1)


def largest(found, num_levels):
  """Give the `[T]` number of each cut's largest component; -1 for none."""
  # Stable: of equals the one met first.
  order = np.lexsort((-found.size, found.level))
  levels, place = np.unique(found.level[order], return_index=True)
  chosen = np.full(num_levels, -1)
  chosen[levels] = order[place]
  return chosen


def picked_boxes(found, num_levels):
  """Give, for each of `RULES`, the `[T, 4]` box it picks; zero for none."""
  chosen = {
    "largest": largest(found, num_levels),
    "most_active": found.active,
  }
  boxes = {rule: np.zeros((num_levels, 4), np.float32) for rule in RULES}
  for rule, number in chosen.items():
    some = number >= 0
    boxes[rule][some] = found.box[number[some]]
  return boxes


def component_boxes(heat, cuts, *, peak=None):
  """Box the chosen component of a map at every cut.

  Args:
    heat: `[h, w]` finite float32.
    cuts: `[T]` values; a pixel is kept when it is >= the cut.
    peak: `peak_of(heat)`, when it is known.

  Returns:
    For each of `RULES`, `[T, 4]` float32 boxes in pixels of the map, x2 and y2
    exclusive; all zero, with an IoU of 0, where a cut keeps no pixel.
  """
  return picked_boxes(find_components(heat, cuts, peak=peak), len(cuts))


def component_box(heat, cut, rule="largest"):
  """Box the chosen component at one cut; None where no pixel is kept."""
  if rule not in RULES:
    raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
  heat = np.asarray(heat, np.float32)
  box = component_boxes(heat, np.float32([cut]))[rule][0]
  return box if box[2] > box[0] else None
