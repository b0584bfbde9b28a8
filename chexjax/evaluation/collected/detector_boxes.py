"""Models that give boxes, not maps: their boxes as a `LocalizationTable`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.measures import overlap, true_regions
from chexjax.evaluation.measures.detections import Detections
from chexjax.evaluation.measures.heat_maps import Frame, MapRule

BOX = "box"
GIVEN = "given"
RULE = MapRule("highest_score", "none")


class TrueRow(NamedTuple):
  """A pair of image and finding with its true boxes.

  Attributes:
    image: name of the image.
    patient: whose it is.
    finding: name of the finding.
    boxes: `[4]` or `[M, 4]` in pixels of the frame.
  """

  image: str
  patient: str
  finding: str
  boxes: np.ndarray


def table_of_detections(
  true: Sequence[TrueRow], found: Detections, frame: Frame
) -> LocalizationTable:
  """Answer every boxed pair with the finding's best-scored box of the image.

  There is no threshold to choose, so `oracle` and `crossfit` agree. cDice is
  that of the two boxes' masks; the pointing game points to the centre of the
  box; MaxBoxAccV2 takes the best of all boxes of the pair.

  Args:
    true: the boxed pairs.
    found: the predicted boxes, in pixels of the same frame.
    frame: height and width of the frame, in pixels.

  Returns:
    A table with the one map `box` and the component `given`. A pair without a
    predicted box has an empty one; of equal scores the first box counts.
  """
  regions = true_regions.regions(
    [np.asarray(row.boxes, np.float64).reshape(-1, 4) for row in true]
  )
  chosen, best = _answers(true, found)
  centre = (chosen[:, :2] + chosen[:, 2:]) / 2
  some = overlap.area(chosen) > 0
  return LocalizationTable(
    image=np.array([row.image for row in true], str),
    patient=np.array([row.patient for row in true], str),
    finding=np.array([row.finding for row in true], str),
    true_box=regions.box,
    frame=frame,
    thresholds=np.zeros(1),
    maps={BOX: RULE},
    boxes={BOX: {GIVEN: chosen[:, None]}},
    cdice={BOX: regions.dice(chosen[:, None])[:, 0]},
    peak={BOX: np.where(some[:, None], centre, -1)},
    best_iou={BOX: best[:, None]},
    more_row=regions.row,
    more_box=regions.more,
  )


def _answers(
  true: Sequence[TrueRow], found: Detections
) -> tuple[np.ndarray, np.ndarray]:
  """Return the `[P, 4]` best-scored boxes and the `[P]` IoU of the best box."""
  rows: dict[tuple[str, str], list[int]] = {}
  for i, pair in enumerate(zip(found.image.tolist(), found.finding.tolist())):
    rows.setdefault(pair, []).append(i)
  chosen, best = np.zeros((len(true), 4)), np.zeros(len(true))
  for p, row in enumerate(true):
    mine = rows.get((row.image, row.finding), [])
    if mine:
      chosen[p] = found.box[mine[int(np.argmax(found.score[mine]))]]
      boxes = np.reshape(row.boxes, (-1, 1, 4))
      best[p] = overlap.iou(found.box[mine], boxes).max()
  return chosen, best


def table_without_predictions(
  true: Sequence[TrueRow], frame: Frame
) -> LocalizationTable:
  """Return the table of a model without boxes or maps: only baselines score.

  Args:
    true: the boxed pairs.
    frame: height and width of the frame, in pixels.

  Returns:
    A table without any map.
  """
  empty = np.zeros(0, str)
  nothing = Detections(empty, empty, np.zeros((0, 4)), np.zeros(0))
  table = table_of_detections(true, nothing, frame)
  return table._replace(maps={}, boxes={}, cdice={}, peak={}, best_iou={})
