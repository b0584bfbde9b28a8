"""Heat maps in, small arrays out: what the protocols need of every true box.

Maps are met one pair of image and finding at a time and not kept; of each
remain one box per threshold and component rule, a cDice and the peak.
"""

from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation.localization_table import LocalizationTable, OtherBoxes
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.components import (
  RULES,
  find_components,
  peak_of,
  picked_boxes,
)
from chexjax.evaluation.measures.heat_maps import (
  DEFAULT_MAPS,
  THRESHOLDS,
  MapRule,
  check_map,
  cut_values,
  rescale,
  upsample,
)
from chexjax.evaluation.measures.released_rules import (
  RELEASED_RULES,
  score_released,
)


class MapScore(NamedTuple):
  """What one map is worth against one true box.

  Attributes:
    boxes: component rule -> `[T, 4]` float32 in pixels of the frame.
    cdice: float in 0..1 (the `released` scale can leave it).
    peak: `[2]` x, y of the highest value's pixel centre, in the frame.
    best_iou: `[T]` IoU of the best of all components.
    released: a `ReleasedScore`, or None.
  """

  boxes: dict[str, np.ndarray]
  cdice: float
  peak: np.ndarray
  best_iou: np.ndarray
  released: Any = None


def score_map(
  heat,
  box,
  frame,
  *,
  rule=DEFAULT_MAPS["sal"],
  thresholds=THRESHOLDS,
  enlarge=True,
  released=None,
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
    released: `sal`, `det`, `mix`, ... to score under the authors' rules too.
    name: what an error calls the map.

  Returns:
    A `MapScore`.

  Raises:
    ValueError: the map is not 2-D or not finite, or the box is empty.
  """
  heat, box = check_map(heat, name), np.asarray(box, np.float64)
  if box.shape != (4,) or not overlap.area(box) > 0:
    raise ValueError(f"want a true box x1 < x2, y1 < y2, got {box.tolist()}")
  theirs = released and score_released(
    heat, box, frame, name=released, thresholds=thresholds
  )
  if enlarge:
    heat = upsample(heat, frame)
  grain = np.array([frame[1] / heat.shape[1], frame[0] / heat.shape[0]])
  scale = np.tile(grain, 2)
  y, x = peak = peak_of(heat)
  cuts = cut_values(heat, thresholds, rule.meaning)
  found = find_components(heat, cuts, peak=peak)
  best = np.zeros(len(cuts))
  np.maximum.at(best, found.level, overlap.iou(found.box * scale, box))
  boxes = picked_boxes(found, len(cuts))
  return MapScore(
    {k: (v * scale).astype(np.float32) for k, v in boxes.items()},
    overlap.cdice(rescale(heat, rule.scale), box / scale),
    (np.array([x, y]) + 0.5) * grain,
    best,
    theirs,
  )


def largest_boxes(heat, frame, *, rule, thresholds=THRESHOLDS, name="map"):
  """Box a map's largest component at every threshold: `[T, 4]` float32."""
  heat = upsample(check_map(heat, name), frame)
  grain = [frame[1] / heat.shape[1], frame[0] / heat.shape[0]] * 2
  cuts = cut_values(heat, thresholds, rule.meaning)
  boxes = picked_boxes(find_components(heat, cuts), len(cuts))["largest"]
  return (boxes * grain).astype(np.float32)


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
    released=True,
    executor=None,
  ):
    """Start empty.

    Args:
      frame: `(height, width)` of the model's input image, in whose pixels
        the true boxes are given.
      maps: name of each map -> `MapRule`.
      thresholds: `[T]` in 0..1.
      enlarge: see `score_map`.
      released: score under the authors' rules too.
      executor: a `ThreadPoolExecutor` to score in (numpy lets go of the GIL:
        two threads take 0.6 of the time). A bad map is then an error at one
        of the next calls, at `table()` at the latest.
    """
    self.frame = (int(frame[0]), int(frame[1]))
    self.maps = {name: MapRule(*rule) for name, rule in maps.items()}
    self.thresholds = tuple(thresholds)
    self.enlarge = enlarge
    self.released = released
    self._executor = executor
    self._rows: list[list[Any]] = []
    self._others: list[list[Any]] = []

  def add(self, *, image, patient, finding, boxes, maps):
    """Score one finding of one image.

    Args:
      image: name of the image.
      patient: whose it is: folds and intervals keep a patient together.
      finding: name of the finding.
      boxes: `[4]` or `[M, 4]` true boxes in pixels of the frame. With none,
        `[0, 4]`, only the predicted boxes are kept, in `others()`.
      maps: name -> `[h, w]`, exactly the collector's names.
    """
    if set(maps) != set(self.maps):
      raise ValueError(
        f"{image}, {finding}: got maps {sorted(maps)}, want {sorted(self.maps)}"
      )
    what = f"{image}, {finding}"
    row = [str(image), str(patient), str(finding)]
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    for box in boxes:
      self._rows.append([*row, box, self._run(self._score, what, box, maps)])
    if not len(boxes):
      self._others.append([*row, None, self._run(self._box, what, maps)])
    # So that few maps wait in memory.
    self._finish(self._rows[-32:-16] + self._others[-64:-48])

  def _run(self, function, *args):
    if self._executor is None:
      return function(*args)
    return self._executor.submit(function, *args)

  def _score(self, what, box, maps):
    return {
      name: score_map(
        maps[name],
        box,
        self.frame,
        rule=rule,
        thresholds=self.thresholds,
        enlarge=self.enlarge,
        released=name if self.released else None,
        name=f"{what}, {name}",
      )
      for name, rule in self.maps.items()
    }

  def _box(self, what, maps):
    return {
      name: largest_boxes(
        maps[name],
        self.frame,
        rule=rule,
        thresholds=self.thresholds,
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
    image, patient, finding = _columns(rows)

    def stack(pick, *shape):
      """Gather one value of every map's scores: name -> `[P, ...]`."""
      return {
        n: np.array([pick(row[4][n]) for row in rows]).reshape(-1, *shape)
        for n in self.maps
      }

    num = len(self.thresholds)
    boxes = {r: stack(lambda s, r=r: s.boxes[r], num, 4) for r in RULES}
    return LocalizationTable(
      image=image,
      patient=patient,
      finding=finding,
      true_box=np.array([row[3] for row in rows]).reshape(-1, 4),
      frame=self.frame,
      thresholds=np.array(self.thresholds),
      maps=self.maps,
      boxes={n: {r: boxes[r][n] for r in RULES} for n in self.maps},
      cdice=stack(lambda s: s.cdice),
      peak=stack(lambda s: s.peak, 2),
      best_iou=stack(lambda s: s.best_iou, num),
      released=self._released(stack, num) if self.released else {},
    )

  def _released(self, stack, num):
    """Give map -> measure -> rule -> array, under the authors' rules."""
    iou, iobb = (
      {
        r: stack(lambda s, m=m, r=r: getattr(s.released, m)[r], num)
        for r in RELEASED_RULES
      }
      for m in ("iou", "iobb")
    )
    cdice = stack(lambda s: s.released.cdice)
    return {
      n: {
        "iou": {r: iou[r][n] for r in RELEASED_RULES},
        "iobb": {r: iobb[r][n] for r in RELEASED_RULES},
        "cdice": dict.fromkeys(RELEASED_RULES, cdice[n]),
      }
      for n in self.maps
    }

  def others(self):
    """Give the boxes of findings without a true box as `OtherBoxes`."""
    rows = self._others
    self._finish(rows)
    num = len(self.thresholds)
    boxes = {
      n: np.array([row[4][n] for row in rows]).reshape(-1, num, 4)
      for n in self.maps
    }
    return OtherBoxes(*_columns(rows), boxes)


def _columns(rows):
  """Give image, patient and finding of rows, each `[P]` str."""
  return (np.array([row[i] for row in rows], dtype=str) for i in range(3))
