"""mAP and RoDeO of every map: how good a model is if no finding is given."""

from collections.abc import Sequence

import numpy as np

from chexjax.evaluation.collected.localization_table import (
  LocalizationTable,
  OtherBoxes,
)
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.measures import rodeo
from chexjax.evaluation.measures.average_precision import (
  MAP_IOU,
  average_precision,
)
from chexjax.evaluation.measures.detections import Detections
from chexjax.evaluation.protocols.baselines import BLIND
from chexjax.evaluation.protocols.bootstrap import Draws, interval
from chexjax.evaluation.protocols.chosen_boxes import (
  chosen_detections,
  judged_detections,
)
from chexjax.evaluation.protocols.decisions import Decisions
from chexjax.evaluation.protocols.figure_trees import (
  Counted,
  Figures,
  Intervals,
  Tree,
  intervals_of,
  with_mean,
)
from chexjax.evaluation.protocols.localization import MeasuredRows
from chexjax.evaluation.protocols.threshold_choice import PROTOCOLS

# Table, images, decisions, the findings with scores, the draws, and the
# findings in the mean.
_Rest = tuple[
  LocalizationTable, ScoredImages, Decisions, Sequence[str], Draws, Counted
]


def _paired(
  found: Detections, table: LocalizationTable, findings: Sequence[str]
) -> rodeo.Outcome:
  """Pair detections with the true boxes of some findings."""
  names = np.unique(table.image)
  kind = {name: i for i, name in enumerate(findings)}

  def numbered(
    image: np.ndarray, finding: np.ndarray, box: np.ndarray
  ) -> rodeo.NumberedBoxes:
    return (
      np.searchsorted(names, image),
      np.array([kind[f] for f in finding], int),
      np.asarray(box, np.float64),
    )

  every = table.true_boxes()
  true = np.isin(every.finding, findings)
  return rodeo.pair(
    numbered(found.image, found.finding, found.box),
    numbered(every.image[true], every.finding[true], every.box[true]),
    len(names),
    len(findings),
  )


def rodeo_trees(
  found: Detections,
  table: LocalizationTable,
  images: ScoredImages,
  decisions: Decisions,
  findings: Sequence[str],
  draws: Draws,
) -> tuple[dict[str, Figures], dict[str, Intervals]]:
  """Compute RoDeO of what is predicted, with intervals.

  Args:
    found: of each image and finding the best box counts, if the finding is
      predicted there.
    table: true boxes of all boxed images.
    images: labels and patients.
    decisions: what is predicted; its first repeat is used.
    findings: names of the findings.
    draws: of `bootstrap.draw_patients`.

  Returns:
    Score -> finding or `all` -> figure; and the same of intervals.
  """
  said = decisions.predicted[0][
    images.places(found.image), images.columns(found.finding)
  ]
  kept = found.keep(said & np.isin(found.finding, findings)).best_of_pairs()
  outcome = _paired(kept, table, findings)
  names = np.unique(table.image)
  once = np.ones((1, len(names)))
  weights = draws.weights(images.patient[images.places(names)])
  values: dict[str, Figures] = {score: {} for score in rodeo.SCORES}
  intervals: dict[str, Intervals] = {score: {} for score in rodeo.SCORES}
  for i, name in enumerate([*findings, rodeo.ALL]):
    finding = i if name != rodeo.ALL else None
    point = rodeo.scores(outcome, once, finding=finding)
    drawn = rodeo.scores(outcome, weights, finding=finding)
    for score in rodeo.SCORES:
      value = float(point[score][0])
      values[score][name] = value if np.isfinite(value) else None
      intervals[score][name] = interval(drawn[score])
  return values, intervals


def _figures_of(
  found: Detections,
  table: LocalizationTable,
  images: ScoredImages,
  decisions: Decisions,
  findings: Sequence[str],
  draws: Draws,
  counted: Counted,
) -> tuple[Tree, Tree]:
  """Return mAP and RoDeO of detections, and their intervals."""
  names = np.unique(np.concatenate([table.image, found.image]))
  weights = draws.weights(images.patient[images.places(names)])
  ap, ap_draws = average_precision(
    found,
    table.true_boxes(),
    findings,
    weights=dict(zip(names.tolist(), weights.T)),
  )
  score, score_interval = rodeo_trees(
    found, table, images, decisions, findings, draws
  )
  values = {
    "map": {t: with_mean(of, counted=counted) for t, of in ap.items()},
    "rodeo": score,
  }
  intervals = {
    "map": {t: intervals_of(of, counted=counted) for t, of in ap_draws.items()},
    "rodeo": score_interval,
  }
  return values, intervals


def _all_figures(
  found: Detections, findings: Sequence[str], rest: _Rest
) -> tuple[Tree, Tree]:
  """Return mAP and RoDeO, and their intervals; None without scores."""
  scored = rest[3]
  names = {"map": [*findings, "mean"], "rodeo": [*findings, rodeo.ALL]}
  rows = {"map": map(str, MAP_IOU), "rodeo": rodeo.SCORES}
  empty: Tree = {
    kind: {row: dict.fromkeys(names[kind]) for row in of}
    for kind, of in rows.items()
  }
  if not scored:
    return empty, empty
  both = _figures_of(found.keep(np.isin(found.finding, scored)), *rest)
  values, intervals = (
    {
      kind: {row: {**blank, **tree[kind][row]} for row, blank in of.items()}
      for kind, of in empty.items()
    }
    for tree in both
  )
  return values, intervals


def detection_trees(
  table: LocalizationTable,
  measures: MeasuredRows,
  images: ScoredImages,
  decisions: Decisions,
  draws: Draws,
  findings: Sequence[str],
  *,
  others: OtherBoxes | None = None,
  boxes: Detections | None = None,
  component: str = "largest",
  counted: Counted = None,
) -> Tree:
  """Return `detection` and `detection_interval`.

  A finding without scores has no figure, and its true boxes do not count.

  Args:
    table: the predicted boxes of every true box.
    measures: of `measure_table`.
    images: labels, scores and patients.
    decisions: what is predicted.
    draws: of `bootstrap.draw_patients`.
    findings: names of the findings.
    others: predicted boxes of findings without a true box, of a model that
      gives maps.
    boxes: all boxes of a model that gives boxes.
    component: rule of `measures`.
    counted: the findings that the mean of the mAP is over; None for all.
      RoDeO's `all` is of all boxes together and no mean over findings.

  Returns:
    Both trees: map -> protocol -> `map.<iou>.<finding|mean>` and
    `rodeo.<score>.<finding|all>`.
  """
  values: Tree = {}
  intervals: Tree = {}
  trees = {"detection": values, "detection_interval": intervals}
  if not len(table.image):
    return trees
  scored = [f for f in findings if f not in images.unscored()]
  rest = (table, images, decisions, scored, draws, counted)
  if others is not None:
    for name in (*table.boxes, BLIND):
      values[name], intervals[name] = {}, {}
      for protocol in PROTOCOLS:
        found = chosen_detections(
          table, others, measures, images, name, protocol, component=component
        )
        of, spans = _all_figures(found, findings, rest)
        values[name][protocol], intervals[name][protocol] = of, spans
  elif boxes is not None:
    found = judged_detections(boxes, table, images)
    for name in table.boxes:
      # There is no threshold to choose: both protocols have the same figures.
      of, spans = _all_figures(found, findings, rest)
      values[name] = dict.fromkeys(PROTOCOLS, of)
      intervals[name] = dict.fromkeys(PROTOCOLS, spans)
  return trees
