"""Average precision of detections, as COCO defines it (pycocotools)."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chexjax.evaluation.measures.detections import Detections, TrueBoxes

MAP_IOU: tuple[float, ...] = (0.3, 0.5)
_RECALL = np.linspace(0, 1, 101)

# IoU, as text -> finding -> average precision, or None.
PrecisionByIou = dict[str, dict[str, float | None]]
# The same, with `[B]` samples.
PrecisionSamples = dict[str, dict[str, np.ndarray | None]]


def average_precision(
  found: Detections,
  true: TrueBoxes,
  findings: Sequence[str],
  *,
  ious: Sequence[float] = MAP_IOU,
  weights: Mapping[str, np.ndarray] | None = None,
) -> tuple[PrecisionByIou, PrecisionSamples]:
  """Compute average precision of each finding at several IoUs.

  The figures are pycocotools' (101 recalls, at most 100 boxes an image and
  finding). pycocotools has no weights; in the samples an image counts as
  often as it is drawn, from the same matches.

  Args:
    found: the predicted boxes.
    true: the true boxes of all boxed images.
    findings: names of the findings.
    ious: a detection counts from this IoU on, each in 0..1.
    weights: image -> `[B]`, how often each of B draws takes it; None draws no
      samples.

  Returns:
    IoU, as text -> finding -> average precision in 0..1, None without a true
    box; and the same with `[B]` samples, empty without weights.
  """
  images = sorted(set(true.image.tolist()) | set(found.image.tolist()))
  precision, matches = _coco(images, findings, found, true, ious)
  drawn = None
  if weights is not None:
    drawn = np.stack([weights[name] for name in images], 1)
  values: PrecisionByIou = {}
  samples: PrecisionSamples = {}
  for t, iou in enumerate(ious):
    mean = precision[t].mean(0)
    values[str(iou)] = {
      f: float(ap) if ap >= 0 else None for f, ap in zip(findings, mean)
    }
    samples[str(iou)] = {}
    if drawn is not None:
      for k, f in enumerate(findings):
        part = matches[k * len(images) : (k + 1) * len(images)]
        samples[str(iou)][f] = _drawn(part, t, drawn)
  return values, samples


def _coco(
  images: Sequence[str],
  findings: Sequence[str],
  found: Detections,
  true: TrueBoxes,
  ious: Sequence[float],
) -> tuple[np.ndarray, list[dict[str, Any] | None]]:
  """Run pycocotools; return its `[T, 101, K]` precision and its matches."""
  from pycocotools.coco import COCO
  from pycocotools.cocoeval import COCOeval

  number = {name: i + 1 for i, name in enumerate(images)}
  kind = {name: i + 1 for i, name in enumerate(findings)}
  truth, guess = COCO(), COCO()
  shared = {
    "images": [{"id": i} for i in number.values()],
    "categories": [{"id": i} for i in kind.values()],
  }
  with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints.
    for coco, boxes in ((truth, true), (guess, found)):
      coco.dataset = {
        **shared,
        "annotations": _annotations(boxes, number, kind),
      }
      coco.createIndex()
    run = COCOeval(truth, guess, "bbox")
    run.params.iouThrs = np.array(ious)
    run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
    run.params.maxDets = [100]
    run.evaluate()
    run.accumulate()
  return run.eval["precision"][..., 0, 0], run.evalImgs


def _annotations(
  boxes: Detections | TrueBoxes,
  number: Mapping[str, int],
  kind: Mapping[str, int],
) -> list[dict[str, Any]]:
  """Return boxes as COCO has them; predicted ones have a score."""
  score = boxes.score if isinstance(boxes, Detections) else None
  return [
    {
      "id": i + 1,
      "image_id": number[boxes.image[i]],
      "category_id": kind[boxes.finding[i]],
      "bbox": [x1, y1, x2 - x1, y2 - y1],
      "area": (x2 - x1) * (y2 - y1),
      "iscrowd": 0,
      **({} if score is None else {"score": float(score[i])}),
    }
    for i, (x1, y1, x2, y2) in enumerate(np.asarray(boxes.box, float).tolist())
    if boxes.finding[i] in kind
  ]


def _drawn(
  matches: Sequence[dict[str, Any] | None], t: int, weights: np.ndarray
) -> np.ndarray | None:
  """Return `[B]` average precision of one finding from COCO's matches.

  Args:
    matches: of each image, None where it has no box of the finding.
    t: number of the IoU.
    weights: `[B, images]`, how often each image is drawn.
  """
  count = np.zeros(len(matches))
  score: list[float] = []
  hit: list[bool] = []
  place: list[int] = []
  for i, of in enumerate(matches):
    if of is not None:
      count[i] = len(of["gtIds"])
      score += list(of["dtScores"])
      hit += list(of["dtMatches"][t] > 0)
      place += [i] * len(of["dtScores"])
  if not count.any():
    return None
  order = np.argsort(-np.array(score), kind="stable")
  hits = np.array(hit, bool)[order]
  taken = weights[:, np.array(place, int)[order]].astype(np.float64)
  return _interpolated(np.cumsum(taken * hits, 1), taken, weights @ count)


def _interpolated(
  good: np.ndarray, taken: np.ndarray, total: np.ndarray
) -> np.ndarray:
  """Return `[B]` mean precision over COCO's 101 recalls.

  Args:
    good: `[B, D]` weight of the hits so far, by falling score.
    taken: `[B, D]` weight of each detection.
    total: `[B]` weight of the true boxes.
  """
  shown = np.cumsum(taken, 1)
  precision = np.divide(good, shown, out=np.zeros_like(good), where=shown > 0)
  # The best precision at this recall or a higher one.
  precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
  result = np.full(len(total), np.nan)
  for b in np.flatnonzero(total > 0):
    at = np.searchsorted(good[b] / total[b], _RECALL, "left")
    kept = precision[b][at[at < good.shape[1]]]
    result[b] = kept.sum() / _RECALL.size
  return result
