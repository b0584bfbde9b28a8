"""`results.json`: every figure with its n, its protocol and its origin."""

import numpy as np

from chexjax.evaluation.measures.classification import mean_defined
from chexjax.evaluation.measures.components import RULES
from chexjax.evaluation.measures.heat_maps import THRESHOLDS
from chexjax.evaluation.measures.released_rules import released_rule
from chexjax.evaluation.protocols import figure_trees
from chexjax.evaluation.protocols.baselines import BLIND, WHOLE
from chexjax.evaluation.protocols.bootstrap import DRAWS, LEVEL, draw_patients
from chexjax.evaluation.protocols.decisions import decide_for, predicted_rows
from chexjax.evaluation.protocols.detection_figures import detection_trees
from chexjax.evaluation.protocols.figure_trees import with_mean
from chexjax.evaluation.protocols.gains import gain_tree
from chexjax.evaluation.protocols.measurement import measure_table
from chexjax.evaluation.protocols.threshold_choice import T_IOU
from chexjax.types import BOXED_FINDINGS

SCHEMA_VERSION = 1
DISCLAIMER = "Research software, not a medical device."


def _choices(table, measures):
  """List what was chosen: thresholds, or boxes in 0..1 of the frame."""
  height, width = table.frame

  def said(name, finding, chosen):
    if chosen is None or name == WHOLE:
      return None
    if name == BLIND:
      boxes = table.true_box[table.finding == finding][np.unique(chosen)]
      return (boxes / [width, height, width, height]).round(4).tolist()
    thresholds = table.thresholds if name in table.boxes else THRESHOLDS
    return np.asarray(thresholds)[np.unique(chosen)].tolist()

  return {
    name: {
      protocol: {f: said(name, f, m.chosen) for f, m in of.items()}
      for protocol, of in both.items()
    }
    for name, both in measures.items()
  }


def _protocol(table, component, options):
  return {
    "mean": "unweighted, over the findings where the figure is defined",
    "choice": "per finding, the best mean IoU; the lowest of equals",
    "oracle": "chosen on the scored boxes, as the paper: it flatters",
    "crossfit": {
      "chosen_on": "the finding's boxes of other patients",
      **{"folds": 5, "repeats": 2, "seed": 0, **options},
    },
    "released": "the authors' rules, chosen on the scored boxes; `split` the "
    "box with the highest value, `union` all boxes at once",
    "image_blind": "one constant box per finding, a true box (medoid)",
    "whole_image": "the frame",
    "centre_prior": "a Gaussian in the centre, sd a quarter of each side",
    "component": component,
    "connectivity": 8,
    "frame": list(table.frame),
    "thresholds": table.thresholds.tolist(),
    "maps": {
      name: {
        "threshold_means": rule.meaning,
        "cdice_scale": rule.scale,
        "released_threshold_means": released_rule(name).meaning
        if name in table.released
        else None,
      }
      for name, rule in table.maps.items()
    },
  }


def _box_reasons(table, findings):
  """Say which findings have no true box, or one patient only."""
  reasons = []
  for finding in findings:
    count = np.unique(table.patient[table.finding == finding]).size
    if count < 2:
      where, why = (
        ("localization.*.crossfit", "one patient: no other to choose on")
        if count
        else ("localization", "no true box")
      )
      reasons.append({"where": where, "finding": finding, "reason": why})
  return reasons


def _counts(classification, table, findings):
  patients = {
    f: int(np.unique(table.patient[table.finding == f]).size) for f in findings
  }
  other = sorted(set(table.finding.tolist()) - set(findings))
  return {
    "positives": classification.positives,
    "negatives": classification.negatives,
    "auc_findings": mean_defined(classification.auc.values())[1],
    "boxes": {f: int((table.finding == f).sum()) for f in findings},
    "box_patients": patients,
    "localization_findings": {
      "oracle": sum(count > 0 for count in patients.values()),
      "crossfit": sum(count > 1 for count in patients.values()),
    },
    "boxes_of_other_findings": {
      f: int((table.finding == f).sum()) for f in other
    },
  }


def _undefined(classification, table, findings):
  return [
    {"where": "auc", "finding": name, "reason": reason}
    for name, reason in classification.undefined.items()
  ] + _box_reasons(table, findings)


def assemble(
  classification,
  table,
  *,
  dataset,
  provenance,
  findings=BOXED_FINDINGS,
  components=RULES,
  t_iou=T_IOU,
  images=None,
  others=None,
  boxes=None,
  thresholds=None,
  draws=DRAWS,
  **options,
):
  """Put all figures into one tree that strict JSON can hold.

  `localization` holds the figures of the first of `components`; a further one
  gets a tree of its own, `localization_<component>`.

  Args:
    classification: a `Classification`.
    table: a `LocalizationTable`; it may have no rows.
    dataset: name of the data; published figures go with real data only.
    provenance: split hash, versions, git revision, command, ...
    findings: names of the localised findings.
    components: component rules, the main one first.
    t_iou: the IoUs of T(IoU).
    images: the `Images` classified; adds the protocol `predicted`, intervals
      and subgroups.
    others: `OtherBoxes`; with `images` adds `detection`.
    boxes: `Detections`, all boxes of a model that gives boxes.
    thresholds: finding -> score from which on it counts as predicted; None
      chooses them on other patients.
    draws: number of draws of patients for the intervals; 0 for none.
    **options: `folds`, `repeats`, `seed` of `protocols.crossfit`.

  Returns:
    dict, see `docs/results.md`: `auc.<finding|mean>`,
    `localization.<map|image_blind>.<oracle|crossfit>.<iou|cdice>.<finding|mean>`
    and `....t_iou.<t>.<finding|mean>`, `counts`, `undefined`, ...
  """
  rule = decide_for(images, thresholds, options)
  predicted = predicted_rows(images, table, rule)
  results = {
    "schema_version": SCHEMA_VERSION,
    "disclaimer": DISCLAIMER,
    "dataset": dataset,
    "auc": with_mean(classification.auc),
    "average_precision": with_mean(classification.average_precision),
  }
  for i, component in enumerate(components):
    measures = measure_table(
      table, findings, component, predicted=predicted, **options
    )
    name = "localization" + (f"_{component}" if i else "")
    results[name] = figure_trees.value_tree(measures, t_iou)
    if not i:
      main = measures
  results["chosen"] = _choices(table, main)
  if images is not None:
    taken = draw_patients(
      images.patient, draws=draws, seed=options.get("seed", 0)
    )
    if draws:
      results |= figure_trees.classification_intervals(images, taken)
      results["localization_interval"] = figure_trees.interval_tree(
        main, table, taken, t_iou
      )
      results["gains"] = gain_tree(main, table, taken)
    if others is not None or boxes is not None:
      results |= detection_trees(
        table, main, images, rule, taken, findings, others, boxes, components[0]
      )
    results["subgroups"] = figure_trees.subgroup_tree(
      images, table, main, taken
    )
  return results | {
    "protocol": _protocol(table, components[0], options)
    | _decision_rule(rule, draws),
    "counts": _counts(classification, table, findings),
    "undefined": _undefined(classification, table, findings),
    "provenance": dict(provenance),
  }


def _decision_rule(rule, draws):
  """Say what `predicted` and the intervals mean."""
  if rule is None:
    return {"predicted": None, "interval": None}
  return {
    "predicted": {
      "rule": "crossfit, and 0 where the finding's score is below its "
      "threshold",
      "score_thresholds": rule.rule,
      "thresholds": rule.thresholds,
    },
    "interval": draws
    and {
      "share": LEVEL,
      "draws": draws,
      "of": "patients, with replacement; thresholds stay as chosen",
    },
  }
