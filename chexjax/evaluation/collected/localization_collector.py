"""Heat maps in, small arrays out: what the protocols need of every true box.

The collector takes the maps of one pair of image and finding at a time and
does not keep them. It keeps a box per threshold and component rule, a cDice
and the place of the highest value.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.collected.localization_table import (
  LocalizationTable,
  OtherBoxes,
)
from chexjax.evaluation.collected.score_columns import (
  box_columns,
  released_columns,
  stack,
  wang_columns,
)
from chexjax.evaluation.measures.heat_maps import (
  DEFAULT_MAPS,
  THRESHOLDS,
  Frame,
  MapRule,
)
from chexjax.evaluation.measures.map_score import (
  MapScore,
  largest_boxes,
  score_map,
)
from chexjax.evaluation.measures.true_regions import regions

# Name of each map -> `[h, w]`.
NamedMaps = Mapping[str, ArrayLike]
# An image, a finding, and the maps of that pair.
PairMaps = tuple[str, str, Mapping[str, np.ndarray]]
_Result = TypeVar("_Result")


class _Pair(NamedTuple):
  image: str
  patient: str
  finding: str


class _Row(Generic[_Result]):
  """A pair with the result of its maps, which may still be computed."""

  def __init__(self, pair: _Pair, boxes: np.ndarray, result: Any) -> None:
    self.pair = pair
    self.boxes = boxes
    self._result: Future[_Result] | _Result = result

  def result(self) -> _Result:
    """Return the result; wait for it where it is still computed."""
    # The future is replaced, since it holds on to the maps.
    if isinstance(self._result, Future):
      self._result = self._result.result()
    return self._result


_Scores = dict[str, MapScore]
_Boxes = dict[str, np.ndarray]


class LocalizationCollector:
  """Build a `LocalizationTable` while maps stream by.

  A pair of image and finding gives one row, which holds all its true boxes; in
  ChestX-ray14 there is one each (984 boxes, 984 pairs). `several` counts the
  pairs with more.

  Attributes:
    frame: height and width of the model's input image, in pixels.
    maps: name of each map -> how it is read.
    thresholds: `[T]` in 0..1.
    enlarge: whether a smaller map is brought to the frame before it is cut.
    released: whether maps are scored under the authors' rules too.
  """

  def __init__(
    self,
    frame: Frame,
    *,
    maps: Mapping[str, MapRule] = DEFAULT_MAPS,
    thresholds: Sequence[float] = THRESHOLDS,
    enlarge: bool = True,
    released: bool = True,
    executor: Executor | None = None,
  ) -> None:
    """Start without rows.

    Args:
      frame: height and width of the model's input image, in whose pixels the
        true boxes are given.
      maps: name of each map -> how it is read.
      thresholds: `[T]` in 0..1.
      enlarge: bring a smaller map to the frame before it is cut, bilinearly.
      released: score under the authors' rules too.
      executor: a `ThreadPoolExecutor` to score in; numpy releases the GIL, and
        two threads take 0.6 of the time. The error of a bad map is then raised
        by one of the next calls, by `table()` at the latest.
    """
    self.frame = (int(frame[0]), int(frame[1]))
    self.maps = {name: MapRule(*rule) for name, rule in maps.items()}
    self.thresholds = tuple(thresholds)
    self.enlarge = enlarge
    self.released = released
    self._executor = executor
    self._rows: list[_Row[_Scores]] = []
    self._others: list[_Row[_Boxes]] = []

  def add(
    self,
    *,
    image: str,
    patient: Any,
    finding: str,
    boxes: ArrayLike,
    maps: NamedMaps,
  ) -> None:
    """Score one finding of one image.

    Args:
      image: name of the image.
      patient: whose it is; folds and intervals keep a patient together.
      finding: name of the finding.
      boxes: `[4]` or `[M, 4]` true boxes in pixels of the frame. With none,
        `[0, 4]`, only the predicted boxes are kept, in `others()`.
      maps: name -> `[h, w]`, exactly the collector's names.

    Raises:
      ValueError: if other maps come than the collector's, a map is not 2-D or
        not finite, or a box is empty; it names the image and the finding.
    """
    if set(maps) != set(self.maps):
      raise ValueError(
        f"{image}, {finding}: got maps {sorted(maps)}, want {sorted(self.maps)}"
      )
    what = f"{image}, {finding}"
    pair = _Pair(str(image), str(patient), str(finding))
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if len(boxes):
      result = self._run(self._score, what, boxes, maps)
      self._rows.append(_Row(pair, boxes, result))
    else:
      self._others.append(_Row(pair, boxes, self._run(self._box, what, maps)))
    # Wait for rows some calls back, so that few maps wait in memory.
    waiting: list[_Row[Any]] = [*self._rows[-32:-16], *self._others[-64:-48]]
    for row in waiting:
      row.result()

  def _run(self, function: Callable[..., _Result], *args: Any) -> Any:
    if self._executor is None:
      return function(*args)
    return self._executor.submit(function, *args)

  def _score(self, what: str, boxes: np.ndarray, maps: NamedMaps) -> _Scores:
    return {
      name: score_map(
        maps[name],
        boxes,
        self.frame,
        rule=rule,
        thresholds=self.thresholds,
        enlarge=self.enlarge,
        released=name if self.released else None,
        name=f"{what}, {name}",
      )
      for name, rule in self.maps.items()
    }

  def _box(self, what: str, maps: NamedMaps) -> _Boxes:
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

  @property
  def several(self) -> int:
    """Number of pairs of image and finding with more than one true box."""
    return sum(len(row.boxes) > 1 for row in self._rows)

  def table(self) -> LocalizationTable:
    """Return the rows so far as a table.

    Returns:
      One row per pair with a true box, in the order they were added.

    Raises:
      ValueError: if a map or box is at fault and an executor scores them, see
        `add`.
    """
    image, patient, finding = _columns(self._rows)
    scores = {n: [row.result()[n] for row in self._rows] for n in self.maps}
    num = len(self.thresholds)
    true = regions([row.boxes for row in self._rows])
    return LocalizationTable(
      image=image,
      patient=patient,
      finding=finding,
      true_box=true.box,
      frame=self.frame,
      thresholds=np.array(self.thresholds),
      maps=self.maps,
      boxes={n: box_columns(of, num) for n, of in scores.items()},
      cdice={n: stack([s.cdice for s in of]) for n, of in scores.items()},
      peak={n: stack([s.peak for s in of], 2) for n, of in scores.items()},
      best_iou={
        n: stack([s.best_iou for s in of], num) for n, of in scores.items()
      },
      released={
        n: released_columns(of, num)
        for n, of in scores.items()
        if self.released
      },
      wang={n: wang_columns(of) for n, of in scores.items()},
      more_row=true.row,
      more_box=true.more,
    )

  def others(self) -> OtherBoxes:
    """Return the predicted boxes of findings without a true box.

    Returns:
      One row per pair of image and finding, in the order they were added.

    Raises:
      ValueError: if a map is at fault and an executor scores them, see `add`.
    """
    num = len(self.thresholds)
    boxes = {
      n: stack([row.result()[n] for row in self._others], num, 4)
      for n in self.maps
    }
    return OtherBoxes(*_columns(self._others), boxes)


def _columns(
  rows: Sequence[_Row[Any]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Return image, patient and finding of rows, each `[P]` str."""
  image, patient, finding = (
    np.array([row.pair[i] for row in rows], str) for i in range(3)
  )
  return image, patient, finding
