"""`results.json`: every figure with its n, its protocol and its origin."""

from collections.abc import Mapping, Sequence
from typing import Any

from chexjax.evaluation.collected.localization_table import (
  LocalizationTable,
  OtherBoxes,
)
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.measures.classification import Classification
from chexjax.evaluation.measures.components import RULES
from chexjax.evaluation.measures.detections import Detections
from chexjax.evaluation.outputs.results_counts import (
  counts,
  few_patients,
  undefined,
)
from chexjax.evaluation.outputs.results_protocol import (
  chosen_tree,
  decision_record,
  protocol_record,
)
from chexjax.evaluation.outputs.summary import summary
from chexjax.evaluation.protocols.bootstrap import DRAWS, Draws, draw_patients
from chexjax.evaluation.protocols.decisions import decide
from chexjax.evaluation.protocols.detection import detection_trees
from chexjax.evaluation.protocols.figure_trees import (
  Tree,
  intervals_of,
  with_mean,
)
from chexjax.evaluation.protocols.gains import gain_tree, over_blind
from chexjax.evaluation.protocols.localization import (
  MeasuredRows,
  interval_tree,
  measure_table,
  value_tree,
)
from chexjax.evaluation.protocols.patient_counts import (
  PatientCounts,
  count_patients,
)
from chexjax.evaluation.protocols.ranking import classification_draws
from chexjax.evaluation.protocols.row_values import T_IOU
from chexjax.evaluation.protocols.subgroups import subgroup_tree
from chexjax.evaluation.protocols.wang_tree import wang_tree
from chexjax.types import BOXED_FINDINGS

SCHEMA_VERSION = 1
DISCLAIMER = "Research software, not a medical device."


def assemble(
  classification: Classification,
  table: LocalizationTable,
  *,
  dataset: str,
  provenance: Mapping[str, Any],
  findings: Sequence[str] = BOXED_FINDINGS,
  components: Sequence[str] = RULES,
  t_iou: Sequence[float] = T_IOU,
  images: ScoredImages | None = None,
  others: OtherBoxes | None = None,
  boxes: Detections | None = None,
  thresholds: Mapping[str, float] | None = None,
  draws: int = DRAWS,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
) -> Tree:
  """Compute all figures and put them into one tree that strict JSON can hold.

  `localization` holds the figures of the first of `components`; a further one
  gets a tree of its own, `localization_<component>`.

  Args:
    classification: AUC and average precision, of `classify`.
    table: the predicted boxes of every true box; it may have no rows.
    dataset: name of the data; published figures go with real data only.
    provenance: split hash, versions, git revision, command, ...
    findings: names of the findings that are localised.
    components: component rules, the main one first.
    t_iou: the IoUs of T(IoU).
    images: the classified images; they add the protocol `predicted`,
      intervals and subgroups.
    others: predicted boxes of findings without a true box; with `images` they
      add `detection`.
    boxes: all boxes of a model that gives boxes, instead of `others`.
    thresholds: finding -> score from which on it counts as predicted; None
      chooses them on other patients.
    draws: draws of patients for the intervals; 0 for none.
    folds: number of folds of patients, for `crossfit`.
    repeats: how many times patients are dealt into folds.
    seed: of folds and draws.

  Returns:
    The tree of `results.json`, see `docs/results.md`.

  Raises:
    ValueError: if a boxed image or finding has no scores in `images`.
  """
  options = {"folds": folds, "repeats": repeats, "seed": seed}
  rule = predicted = None
  unscored: tuple[str, ...] = ()
  patients = count_patients(classification, table, findings, images)
  if images is not None:
    unscored = images.unscored()
    rule = decide(images, thresholds=thresholds, **options)
    predicted = rule.of_rows(images, table)
  measures = {
    component: measure_table(
      table,
      findings,
      component=component,
      predicted=predicted,
      unscored=unscored,
      **options,
    )
    for component in components
  }
  main = measures[components[0]]
  boxed = patients.in_localization
  results = _head(classification, dataset, patients)
  for component, measured in measures.items():
    name = "localization" + ("" if measured is main else f"_{component}")
    results[name] = value_tree(measured, t_iou=t_iou, counted=boxed)
  results["chosen"] = chosen_tree(table, main)
  results["wang_rule"] = wang_tree(table, findings, counted=boxed)
  if images is not None and rule is not None:
    taken = draw_patients(images.patient, draws=draws, seed=seed)
    if draws:
      results |= _intervals(images, table, main, taken, t_iou, patients)
    if others is not None or boxes is not None:
      results |= detection_trees(
        table,
        main,
        images,
        rule,
        taken,
        findings,
        others=others,
        boxes=boxes,
        component=components[0],
        counted=boxed,
      )
    results["subgroups"] = subgroup_tree(
      images, table, main, taken, patients=patients
    )
  results |= {
    "protocol": {
      **protocol_record(table, components[0], **options),
      **decision_record(rule, draws),
    },
    "counts": counts(classification, table, findings, patients, images),
    "few_patients": few_patients(classification, patients),
    "undefined": undefined(
      classification,
      patients,
      unscored=unscored,
      detected=bool(results.get("detection")),
    ),
    "provenance": dict(provenance),
  }
  return results | {"summary": summary(results)}


def _head(
  classification: Classification, dataset: str, patients: PatientCounts
) -> Tree:
  counted = patients.in_auc
  return {
    "schema_version": SCHEMA_VERSION,
    "disclaimer": DISCLAIMER,
    "dataset": dataset,
    "auc": with_mean(classification.auc, counted=counted),
    "average_precision": with_mean(
      classification.average_precision, counted=counted
    ),
  }


def _intervals(
  images: ScoredImages,
  table: LocalizationTable,
  measures: MeasuredRows,
  draws: Draws,
  t_iou: Sequence[float],
  patients: PatientCounts,
) -> Tree:
  """Return the intervals of classification and localisation, and the gains."""
  auc, precision = classification_draws(
    images.label_values(), images.scores, images.patient, draws
  )
  counted, boxed = patients.in_auc, patients.in_localization
  return {
    "auc_interval": intervals_of(
      dict(zip(images.names, auc.T)), counted=counted
    ),
    "average_precision_interval": intervals_of(
      dict(zip(images.names, precision.T)), counted=counted
    ),
    "localization_interval": interval_tree(
      measures, table, draws, t_iou=t_iou, counted=boxed
    ),
    "gains": gain_tree(measures, table, draws, counted=boxed),
    "over_blind": over_blind(measures, table, draws, counted=boxed),
  }
