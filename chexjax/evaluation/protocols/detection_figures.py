"""mAP and RoDeO of every map: what a person sees who is given no finding."""

import numpy as np

from chexjax.evaluation.measures import rodeo
from chexjax.evaluation.measures.average_precision import (
  average_precision,
  detections,
  unboxed,
)
from chexjax.evaluation.protocols.baselines import BLIND
from chexjax.evaluation.protocols.bootstrap import interval
from chexjax.evaluation.protocols.figure_trees import intervals_of, with_mean
from chexjax.evaluation.protocols.threshold_choice import PROTOCOLS


def open_boxes(boxes, table, images):
  """Leave out boxes of other images, and of pairs labelled but not boxed.

  Args:
    boxes: `Detections`.
    table: the true boxes.
    images: an `Images`.
  """
  inside = np.isin(boxes.image, table.image)
  inside &= np.isin(boxes.finding, images.names)
  boxes = boxes.keep(inside)
  own = {*zip(table.image.tolist(), table.finding.tolist())}
  pairs = zip(boxes.image.tolist(), boxes.finding.tolist())
  boxed = np.array([pair in own for pair in pairs], bool)
  return boxes.keep(boxed | ~unboxed(images, boxes.image, boxes.finding))


def _best_of_pair(found):
  """Keep the box with the highest score of every image and finding."""
  order = np.argsort(-found.score, kind="stable")
  pairs = np.char.add(np.char.add(found.image, "\n"), found.finding)[order]
  _, first = np.unique(pairs, return_index=True)
  return found.keep(np.sort(order[first]))


def rodeo_scores(found, table, images, decisions, findings, draws):
  """Compute RoDeO of what is predicted, with an interval.

  Args:
    found: `Detections`; of each image and finding the best counts, if the
      finding is predicted there.
    table: true boxes of all boxed images.
    images: an `Images`.
    decisions: a `Decisions`; its first repeat is used.
    findings: names.
    draws: of `bootstrap.draw_patients`.

  Returns:
    score -> finding or `all` -> figure, and the same of intervals.
  """
  names = np.unique(table.image)
  said = decisions.predicted[0][
    images.places(found.image), images.columns(found.finding)
  ]
  found = _best_of_pair(found.keep(said & np.isin(found.finding, findings)))
  true = np.isin(table.finding, findings)
  kind = {name: i for i, name in enumerate(findings)}
  sides = [
    (
      np.searchsorted(names, image),
      np.array([kind[f] for f in finding], int),
      np.asarray(box, np.float64),
    )
    for image, finding, box in (
      (found.image, found.finding, found.box),
      (table.image[true], table.finding[true], table.true_box[true]),
    )
  ]
  outcome = rodeo.pair(*sides, len(names), len(findings))
  once = np.ones((1, len(names)))
  weights = draws.weights(images.patient[images.places(names)])
  values = {score: {} for score in rodeo.SCORES}
  intervals = {score: {} for score in rodeo.SCORES}
  for i, name in enumerate([*findings, rodeo.ALL]):
    finding = i if name != rodeo.ALL else None
    point = rodeo.scores(outcome, once, finding)
    drawn = rodeo.scores(outcome, weights, finding)
    for score in rodeo.SCORES:
      value = float(point[score][0])
      values[score][name] = value if np.isfinite(value) else None
      intervals[score][name] = interval(drawn[score])
  return values, intervals


def detection_trees(
  table, measures, images, decisions, draws, findings, others, boxes, component
):
  """Give `detection` and `detection_interval`.

  Args:
    table: a `LocalizationTable`.
    measures: of `measuring.measure_table`.
    images: an `Images`.
    decisions: a `Decisions`.
    draws: of `bootstrap.draw_patients`.
    findings: names.
    others: `OtherBoxes`; None for a model that gives boxes.
    boxes: its `Detections`; None for a model that gives maps.
    component: rule of the measures.

  Returns:
    Both trees: map -> protocol -> `map.<iou>.<finding|mean>` and
    `rodeo.<score>.<finding|all>`.
  """
  if not len(table.image):
    return {"detection": {}, "detection_interval": {}}
  patient_of = dict(zip(images.image.tolist(), images.patient.tolist()))
  trees = {"detection": {}, "detection_interval": {}}
  names = tuple(table.boxes) if others is None else (*table.boxes, BLIND)
  for name in names:
    for protocol in PROTOCOLS:
      if others is None and protocol != PROTOCOLS[0]:  # nothing to choose
        for tree in trees.values():
          tree[name][protocol] = tree[name][PROTOCOLS[0]]
        continue
      if others is None:
        found = open_boxes(boxes, table, images)
      else:
        found = detections(
          table, others, measures, images, name, protocol, component
        )
      ap, ap_draws = average_precision(
        found, table, findings, draws=draws, patient_of=patient_of
      )
      score, score_interval = rodeo_scores(
        found, table, images, decisions, findings, draws
      )
      trees["detection"].setdefault(name, {})[protocol] = {
        "map": {t: with_mean(of) for t, of in ap.items()},
        "rodeo": score,
      }
      trees["detection_interval"].setdefault(name, {})[protocol] = {
        "map": {t: intervals_of(of) for t, of in ap_draws.items()},
        "rodeo": score_interval,
      }
  return trees
