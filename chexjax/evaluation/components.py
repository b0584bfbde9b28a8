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

import numpy as np
from scipy.sparse import csgraph, csr_array

RULES = ("largest", "most_active")


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


def _largest(label, length, level, num_levels):
  """Give the `[T]` number of each cut's largest component; -1 for none."""
  size = np.bincount(label, weights=length)
  first = np.full(size.size, label.size)
  np.minimum.at(first, label, np.arange(label.size))
  order = np.lexsort((first, -size, level[first]))
  levels, place = np.unique(level[first][order], return_index=True)
  chosen = np.full(num_levels, -1)
  chosen[levels] = order[place]
  return chosen


def peak_of(heat):
  """Give row and column of the highest value; the first, row by row."""
  return np.divmod(int(heat.argmax()), heat.shape[1])


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
  height, width = heat.shape
  num, stride = len(cuts), width + 1
  boxes = {rule: np.zeros((num, 4), np.float32) for rule in RULES}
  start, end = _runs(heat, cuts, stride)
  if not start.size:
    return boxes
  row, x1 = np.divmod(start, stride)
  level, y1 = np.divmod(row, height + 1)
  x1, x2 = x1 - 1, x1 - 1 + end - start
  label = _label(start, end, stride)
  y, x = peak_of(heat) if peak is None else peak
  place = (np.arange(num) * (height + 1) + y) * stride + x + 1
  active = label[np.searchsorted(start, place, "right") - 1]
  chosen = {
    "largest": _largest(label, end - start, level, num),
    "most_active": np.where(heat[y, x] >= cuts, active, -1),
  }
  for rule, number in chosen.items():
    keep = label == number[level]
    of, out = level[keep], boxes[rule]
    out[number >= 0, :2] = max(height, width)
    np.minimum.at(out[:, 0], of, x1[keep].astype(np.float32))
    np.minimum.at(out[:, 1], of, y1[keep].astype(np.float32))
    np.maximum.at(out[:, 2], of, x2[keep].astype(np.float32))
    np.maximum.at(out[:, 3], of, y1[keep].astype(np.float32) + 1)
  return boxes


def component_box(heat, cut, rule="largest"):
  """Box the chosen component at one cut; None where no pixel is kept."""
  if rule not in RULES:
    raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
  box = component_boxes(np.asarray(heat, np.float32), np.float32([cut]))[rule][
    0
  ]
  return box if box[2] > box[0] else None
