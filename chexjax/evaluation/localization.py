"""Heat maps in, small arrays out: what the protocols need of every true box.

Maps are met one pair of image and finding at a time and not kept; of each
remain one box per threshold and component rule, a cDice and the peak.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation import overlap
from chexjax.evaluation.components import RULES, component_boxes, peak_of
from chexjax.evaluation.heat import (
  DEFAULT_MAPS,
  THRESHOLDS,
  MapRule,
  check_map,
  cut_values,
  rescale,
  upsample,
)


class LocalizationTable(NamedTuple):
  """One row per true box; all boxes in pixels of the frame.

  Attributes:
    image: `[P]` str, names of the images.
    patient: `[P]` str.
    finding: `[P]` str.
    true_box: `[P, 4]` float64.
    frame: `(height, width)` of the model's input image.
    thresholds: `[T]` float64, of every map.
    maps: name of each map -> what its thresholds mean, how it is scaled.
    boxes: name of each map -> component rule -> `[P, T, 4]` float32, all zero
      where a threshold keeps no pixel.
    cdice: name of each map -> `[P]` float64; empty for a model without maps.
    peak: name of each map -> `[P, 2]` float64 x, y of the highest value.
  """

  image: np.ndarray
  patient: np.ndarray
  finding: np.ndarray
  true_box: np.ndarray
  frame: tuple[int, int]
  thresholds: np.ndarray
  maps: Mapping[str, MapRule]
  boxes: Mapping[str, Mapping[str, np.ndarray]]
  cdice: Mapping[str, np.ndarray]
  peak: Mapping[str, np.ndarray]

  def iou(self, name, component="largest"):
    """Give `[P, T]` IoU of a map's boxes with the true ones."""
    return overlap.iou(self.boxes[name][component], self.true_box[:, None])


class MapScore(NamedTuple):
  """What one map is worth against one true box.

  Attributes:
    boxes: component rule -> `[T, 4]` float32 in pixels of the frame.
    cdice: float in 0..1 (the `released` scale can leave it).
    peak: `[2]` x, y of the highest value's pixel centre, in the frame.
  """

  boxes: dict[str, np.ndarray]
  cdice: float
  peak: np.ndarray


def score_map(
  heat,
  box,
  frame,
  *,
  rule=DEFAULT_MAPS["sal"],
  thresholds=THRESHOLDS,
  enlarge=True,
  name="map",
):
  """Box a map at every threshold and compare it with one true box.

  Args:
    heat: `[h, w]` any real dtype; NaN is an error.
    box: `[4]` true box in pixels of the frame.
    frame: `(height, width)` of the model's input image.
    rule: a `MapRule`.
    thresholds: `[T]` in 0..1.
    enlarge: bring a smaller map to the frame before it is cut, bilinearly.
    name: what an error calls the map.

  Returns:
    A `MapScore`.

  Raises:
    ValueError: the map is not 2-D or not finite, or the box is empty.
  """
  heat, box = check_map(heat, name), np.asarray(box, np.float64)
  if box.shape != (4,) or not overlap.area(box) > 0:
    raise ValueError(f"want a true box x1 < x2, y1 < y2, got {box.tolist()}")
  if enlarge:
    heat = upsample(heat, frame)
  grain = np.array([frame[1] / heat.shape[1], frame[0] / heat.shape[0]])
  scale = np.tile(grain, 2)
  y, x = peak = peak_of(heat)
  cuts = cut_values(heat, thresholds, rule.meaning)
  boxes = component_boxes(heat, cuts, peak=peak)
  return MapScore(
    {k: (v * scale).astype(np.float32) for k, v in boxes.items()},
    overlap.cdice(rescale(heat, rule.scale), box / scale),
    (np.array([x, y]) + 0.5) * grain,
  )


class LocalizationCollector:
  """Gathers a `LocalizationTable` while maps stream by.

  A pair of image and finding with several true boxes gives one row per box
  (ChestX-ray14 has none: 984 boxes, 984 pairs); `several` counts such pairs.
  """

  def __init__(
    self,
    frame,
    *,
    maps=DEFAULT_MAPS,
    thresholds=THRESHOLDS,
    enlarge=True,
    executor=None,
  ):
    """Start empty.

    Args:
      frame: `(height, width)` of the model's input image, in whose pixels
        the true boxes are given.
      maps: name of each map -> `MapRule`.
      thresholds: `[T]` in 0..1.
      enlarge: see `score_map`.
      executor: a `ThreadPoolExecutor` to score in (numpy lets go of the GIL:
        two threads take 0.6 of the time). A bad map is then an error at one
        of the next calls, at `table()` at the latest.
    """
    self.frame = (int(frame[0]), int(frame[1]))
    self.maps = {name: MapRule(*rule) for name, rule in maps.items()}
    self.thresholds = tuple(thresholds)
    self.enlarge = enlarge
    self._executor = executor
    self._rows: list[list[Any]] = []

  def add(self, *, image, patient, finding, boxes, maps):
    """Score one finding of one image.

    Args:
      image: name of the image.
      patient: whose it is: folds and intervals keep a patient together.
      finding: name of the finding.
      boxes: `[4]` or `[M, 4]` true boxes in pixels of the frame.
      maps: name -> `[h, w]`, exactly the collector's names.
    """
    if set(maps) != set(self.maps):
      raise ValueError(
        f"{image}, {finding}: got maps {sorted(maps)}, want {sorted(self.maps)}"
      )
    for box in np.asarray(boxes, np.float64).reshape(-1, 4):
      what = f"{image}, {finding}"
      if self._executor is None:
        scores = self._score(what, box, maps)
      else:
        scores = self._executor.submit(self._score, what, box, maps)
      self._rows.append([str(image), str(patient), str(finding), box, scores])
    self._finish(self._rows[-32:-16])  # so that few maps wait in memory

  def _score(self, what, box, maps):
    return {
      name: score_map(
        maps[name],
        box,
        self.frame,
        rule=rule,
        thresholds=self.thresholds,
        enlarge=self.enlarge,
        name=f"{what}, {name}",
      )
      for name, rule in self.maps.items()
    }

  @staticmethod
  def _finish(rows):
    for row in rows:
      if isinstance(row[4], Future):
        row[4] = row[4].result()

  @property
  def several(self):
    """Number of pairs of image and finding with more than one true box."""
    _, count = np.unique(
      [f"{r[0]}\n{r[2]}" for r in self._rows], return_counts=True
    )
    return int((count > 1).sum())

  def table(self):
    """Give what was gathered as a `LocalizationTable`."""
    rows = self._rows
    self._finish(rows)
    image, patient, finding = (
      np.array([row[i] for row in rows], dtype=str) for i in range(3)
    )

    def stack(pick, *shape):
      return np.array([pick(row[4]) for row in rows]).reshape(-1, *shape)

    num = len(self.thresholds)
    return LocalizationTable(
      image=image,
      patient=patient,
      finding=finding,
      true_box=np.array([row[3] for row in rows]).reshape(-1, 4),
      frame=self.frame,
      thresholds=np.array(self.thresholds),
      maps=self.maps,
      boxes={
        n: {r: stack(lambda s, n=n, r=r: s[n].boxes[r], num, 4) for r in RULES}
        for n in self.maps
      },
      cdice={n: stack(lambda s, n=n: s[n].cdice) for n in self.maps},
      peak={n: stack(lambda s, n=n: s[n].peak, 2) for n in self.maps},
    )
