"""The boxes that a protocol's thresholds choose, also as detections.

Detections are scored on the boxed images. A radiologist's label without a box
says that the finding is there, not where. So a predicted box of such a pair of
image and finding is neither right nor wrong and is left out.
"""

import numpy as np

from chexjax.evaluation.collected.localization_table import (
  LocalizationTable,
  OtherBoxes,
)
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.detections import Detections, pair_names
from chexjax.evaluation.protocols.baselines import BLIND
from chexjax.evaluation.protocols.localization import MeasuredRows


def chosen_boxes(
  table: LocalizationTable,
  measures: MeasuredRows,
  name: str,
  protocol: str,
  *,
  component: str = "largest",
) -> np.ndarray:
  """Return the predicted box of every row under a protocol's own thresholds.

  Args:
    table: the predicted boxes of every true box, P rows.
    measures: of `measure_table`, with the same `component`.
    name: a map, or `image_blind`.
    protocol: `oracle`, or `crossfit` (its first repeat).
    component: which component is boxed, a key of `table.boxes[name]`.

  Returns:
    `[P, 4]` float32 in pixels of the frame; all zero where the threshold keeps
    no pixel, NaN where no threshold could be chosen.
  """
  boxes = np.full((len(table.finding), 4), np.nan, np.float32)
  for finding, measured in measures[name][protocol].items():
    if measured.chosen is None:
      continue
    rows = np.flatnonzero(table.finding == finding)
    chosen = measured.chosen[0]
    if name == BLIND:
      boxes[rows] = table.regions(rows=rows).every()[chosen]
    else:
      boxes[rows] = table.boxes[name][component][rows, chosen]
  return boxes


def _chosen_other_boxes(
  table: LocalizationTable,
  others: OtherBoxes,
  measures: MeasuredRows,
  name: str,
  protocol: str,
) -> np.ndarray:
  """Return `[Q, 4]`: the other pairs' boxes under the same choices.

  A patient with rows of the finding keeps its own threshold (or constant box);
  any other patient gets the one that is best on all rows.
  """
  boxes = np.zeros((len(others.finding), 4), np.float32)
  for finding, measured in measures[name][protocol].items():
    here = np.flatnonzero(others.finding == finding)
    best = measures[name]["oracle"][finding].chosen
    if not here.size or best is None:
      continue
    chosen = np.full(here.size, best[0, 0])
    rows = table.finding == finding
    if measured.chosen is not None:
      own = dict(zip(table.patient[rows], measured.chosen[0]))
      chosen = np.array([own.get(p, best[0, 0]) for p in others.patient[here]])
    if name == BLIND:
      boxes[here] = table.regions(rows=rows).every()[chosen]
    else:
      boxes[here] = others.boxes[name][here, chosen]
  return boxes


def chosen_detections(
  table: LocalizationTable,
  others: OtherBoxes,
  measures: MeasuredRows,
  images: ScoredImages,
  name: str,
  protocol: str,
  *,
  component: str = "largest",
) -> Detections:
  """Return one box per boxed image and finding, with the finding's score.

  Args:
    table: the predicted boxes of every true box.
    others: those of findings without a true box in the image.
    measures: of `measure_table`.
    images: scores and labels.
    name: a map, or `image_blind`.
    protocol: `oracle` or `crossfit` (its first repeat).
    component: rule of `measures`; pairs without a true box have the largest.

  Returns:
    The detections; empty boxes, and pairs labelled but not boxed, are left
    out.
  """
  mine = chosen_boxes(table, measures, name, protocol, component=component)
  theirs = _chosen_other_boxes(table, others, measures, name, protocol)
  pairs = pair_names(table.image, table.finding)
  _, once = np.unique(pairs, return_index=True)
  judged = ~images.labelled(others.image, others.finding)
  image = np.concatenate([table.image[once], others.image[judged]])
  finding = np.concatenate([table.finding[once], others.finding[judged]])
  box = np.concatenate([mine[once], theirs[judged]])
  found = Detections(image, finding, box, images.scores_of(image, finding))
  return found.keep(overlap.area(np.nan_to_num(box)) > 0)


def judged_detections(
  found: Detections, table: LocalizationTable, images: ScoredImages
) -> Detections:
  """Return the boxes of a detector that can be right or wrong.

  Args:
    found: all boxes of a model that gives boxes.
    table: the true boxes.
    images: labels.

  Returns:
    The detections without those on images without any true box, of findings
    without scores, and of pairs labelled but not boxed.
  """
  inside = np.isin(found.image, table.image)
  inside &= np.isin(found.finding, images.names)
  found = found.keep(inside)
  boxed = np.isin(
    pair_names(found.image, found.finding),
    pair_names(table.image, table.finding),
  )
  return found.keep(boxed | ~images.labelled(found.image, found.finding))
