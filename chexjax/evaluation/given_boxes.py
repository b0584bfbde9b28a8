"""Models that give boxes, not maps: one table like the maps' one."""

import numpy as np

from chexjax.evaluation.localization_table import LocalizationTable
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.heat_maps import MapRule

BOX = "box"
GIVEN = "given"
RULE = MapRule("highest_score", "none")


def table_of_boxes(true, boxes, frame):
  """Answer every true box with the finding's best-scored box of the image.

  There is no threshold to choose, so `oracle` and `crossfit` agree. cDice is
  that of the two boxes' masks; the pointing game points to the box's centre;
  MaxBoxAccV2 has all boxes of the pair to choose from.

  Args:
    true: rows `(image, patient, finding, [4] box)`.
    boxes: `Detections` in pixels of the same frame.
    frame: `(height, width)`.

  Returns:
    A `LocalizationTable` with the one map `box` and the component `given`; a
    pair without a box has an empty one.
  """
  rows = {}
  for i, pair in enumerate(zip(boxes.image.tolist(), boxes.finding.tolist())):
    rows.setdefault(pair, []).append(i)
  num = len(true)
  chosen = np.zeros((num, 4))
  best = np.zeros(num)
  for p, (image, _, finding, box) in enumerate(true):
    mine = rows.get((image, finding), [])
    if mine:
      # Of equal scores the first.
      chosen[p] = boxes.box[mine[int(np.argmax(boxes.score[mine]))]]
      best[p] = overlap.iou(boxes.box[mine], box).max()
  true_box = np.array([row[3] for row in true], float).reshape(-1, 4)
  some = overlap.area(chosen) > 0
  centre = (chosen[:, :2] + chosen[:, 2:]) / 2
  image, patient, finding = (
    np.array([row[i] for row in true], str) for i in range(3)
  )
  return LocalizationTable(
    image=image,
    patient=patient,
    finding=finding,
    true_box=true_box,
    frame=frame,
    thresholds=np.zeros(1),
    maps={BOX: RULE},
    boxes={BOX: {GIVEN: chosen[:, None]}},
    cdice={BOX: overlap.dice(chosen, true_box)},
    peak={BOX: np.where(some[:, None], centre, -1)},
    best_iou={BOX: best[:, None]},
  )


def no_boxes(table):
  """Give a table for a model without boxes or maps: the baselines' rows."""
  return table._replace(maps={}, boxes={}, cdice={}, peak={}, best_iou={})
