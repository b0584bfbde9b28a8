"""Boxes as detections: mean average precision, as COCO has it.

Measured on the boxed images. A radiologist's label without a box says that the
finding is there, not where: predictions of such a pair of image and finding
are neither right nor wrong and are left out.
"""

import contextlib
import io
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.protocols.baselines import BLIND
from chexjax.evaluation.protocols.measurement import chosen_boxes

MAP_IOU: tuple[float, ...] = (0.3, 0.5)
_RECALL = np.linspace(0, 1, 101)


class Detections(NamedTuple):
  """Boxes with a finding and a confidence.

  Attributes:
    image: `[D]` str.
    finding: `[D]` str.
    box: `[D, 4]` in pixels of the frame.
    score: `[D]` float64.
  """

  image: np.ndarray
  finding: np.ndarray
  box: np.ndarray
  score: np.ndarray

  def keep(self, rows):
    """Give the detections of some rows."""
    return Detections(*(column[rows] for column in self))


def _other_boxes(table, others, measures, name, protocol):
  """Give `[Q, 4]`: the other pairs' boxes under the same choices.

  Chosen are, for a patient with rows of the finding, that patient's threshold
  (or constant box), for any other patient the one that is best on all rows.
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
      boxes[here] = table.true_box[rows][chosen]
    else:
      boxes[here] = others.boxes[name][here, chosen]
  return boxes


def unboxed(images, image, finding):
  """Tell which `[D]` pairs are labelled; of pairs without a true box."""
  rows, columns = images.places(image), images.columns(finding)
  return images.labels[rows, columns]


def detections(
  table, others, measures, images, name, protocol, component="largest"
):
  """Give one box per boxed image and finding, with the finding's score.

  Args:
    table: a `LocalizationTable`.
    others: its `OtherBoxes`.
    measures: of `measure_table`.
    images: an `Images`, for scores and labels.
    name: a map, or `image_blind`.
    protocol: `oracle` or `crossfit` (its first repeat).
    component: rule of the measures; other pairs have the largest one.

  Returns:
    `Detections`, without empty boxes and pairs labelled but not boxed.
  """
  mine = chosen_boxes(table, measures, name, protocol, component)
  pairs = np.char.add(np.char.add(table.image, "\n"), table.finding)
  _, once = np.unique(pairs, return_index=True)
  open_ = ~unboxed(images, others.image, others.finding)
  image = np.concatenate([table.image[once], others.image[open_]])
  finding = np.concatenate([table.finding[once], others.finding[open_]])
  box = np.concatenate(
    [
      mine[once],
      _other_boxes(table, others, measures, name, protocol)[open_],
    ]
  )
  score = images.scores[images.places(image), images.columns(finding)]
  found = Detections(image, finding, box, score)
  return found.keep(overlap.area(np.nan_to_num(box)) > 0)


def _coco(images_of, findings, found, table, ious):
  """Run pycocotools; give its precision `[T, 101, K]` and its matches."""
  from pycocotools.coco import COCO
  from pycocotools.cocoeval import COCOeval

  number = {name: i + 1 for i, name in enumerate(images_of)}
  kind = {name: i + 1 for i, name in enumerate(findings)}

  def rows(image, finding, boxes, scores):
    return [
      {
        "id": i + 1,
        "image_id": number[image[i]],
        "category_id": kind[finding[i]],
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": 0,
        **({} if scores is None else {"score": float(scores[i])}),
      }
      for i, (x1, y1, x2, y2) in enumerate(np.asarray(boxes, float).tolist())
      if finding[i] in kind
    ]

  truth, guess = COCO(), COCO()
  shared = {
    "images": [{"id": i} for i in number.values()],
    "categories": [{"id": i} for i in kind.values()],
  }
  true = rows(table.image, table.finding, table.true_box, None)
  mine = rows(found.image, found.finding, found.box, found.score)
  with contextlib.redirect_stdout(io.StringIO()):
    for coco, annotations in ((truth, true), (guess, mine)):
      coco.dataset = {**shared, "annotations": annotations}
      coco.createIndex()
    run = COCOeval(truth, guess, "bbox")
    run.params.iouThrs = np.array(ious)
    run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
    run.params.maxDets = [100]
    run.evaluate()
    run.accumulate()
  return run.eval["precision"][..., 0, 0], run.evalImgs


def average_precision(
  found, table, findings, *, ious=MAP_IOU, draws=None, patient_of=None
):
  """Compute average precision per finding and IoU with pycocotools.

  Args:
    found: `Detections`.
    table: true boxes of all boxed images.
    findings: names.
    ious: a detection counts from this IoU on.
    draws: of `bootstrap.draw_patients`, for samples.
    patient_of: image -> patient, with `draws`.

  Returns:
    `{"0.3": {finding: AP or None}}`, and `{"0.3": {finding: [B] or None}}`
    samples (empty without draws).
  """
  images = sorted(set(table.image.tolist()) | set(found.image.tolist()))
  precision, matches = _coco(images, findings, found, table, ious)
  values, samples = {}, {}
  for t, iou in enumerate(ious):
    mean = precision[t].mean(0)
    values[str(iou)] = {
      f: float(ap) if ap >= 0 else None for f, ap in zip(findings, mean)
    }
    samples[str(iou)] = {}
    if draws is not None:
      weights = draws.weights([patient_of[i] for i in images])
      for k, f in enumerate(findings):
        part = matches[k * len(images) : (k + 1) * len(images)]
        samples[str(iou)][f] = _drawn(part, t, weights)
  return values, samples


def _drawn(matches, t, weights):
  """Give `[B]` average precision of one finding from COCO's matches."""
  score, hit, place, count = [], [], [], np.zeros(len(matches))
  for i, of in enumerate(matches):
    if of is None:
      continue
    count[i] = len(of["gtIds"])
    score += list(of["dtScores"])
    hit += list(of["dtMatches"][t] > 0)
    place += [i] * len(of["dtScores"])
  if not count.any():
    return None
  order = np.argsort(-np.array(score), kind="stable")
  hit, place = np.array(hit, bool)[order], np.array(place, int)[order]
  taken = weights[:, place].astype(np.float64)
  total = weights @ count
  good = np.cumsum(taken * hit, 1)
  shown = np.cumsum(taken, 1)
  precision = np.divide(good, shown, out=np.zeros_like(good), where=shown > 0)
  # The best precision at this recall or a higher one.
  precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
  result = np.full(len(weights), np.nan)
  for b in np.flatnonzero(total > 0):
    at = np.searchsorted(good[b] / total[b], _RECALL, "left")
    kept = precision[b][at[at < hit.size]]
    result[b] = kept.sum() / _RECALL.size
  return result
