"""`results.json`: every figure with its n, its protocol and its origin."""

import json
from pathlib import Path

import numpy as np

from chexjax.evaluation import protocols
from chexjax.evaluation.classification import mean_defined
from chexjax.evaluation.components import RULES
from chexjax.evaluation.protocols import PROTOCOLS, T_IOU
from chexjax.types import BOXED_FINDINGS

SCHEMA_VERSION = 1
DISCLAIMER = "Research software, not a medical device."
BLIND = "image_blind"


def measure_table(table, findings, component="largest", **options):
  """Measure every map, and the image-blind constant box, per finding.

  Args:
    table: a `LocalizationTable`.
    findings: names to measure, whether they have boxes or not.
    component: one of `components.RULES`.
    **options: `folds`, `repeats`, `seed` of `protocols.crossfit`.

  Returns:
    map or `image_blind` -> protocol -> finding -> `protocols.Measures`.
  """
  measures = {
    name: {protocol: {} for protocol in PROTOCOLS}
    for name in (*table.boxes, BLIND)
  }
  for finding in findings:
    rows = table.finding == finding
    patients = table.patient[rows]
    blind = protocols.constant_boxes(table.true_box[rows])
    for name, of in measures.items():
      owners = patients if name == BLIND else None
      cdice = table.cdice.get(name)
      pair = (
        blind
        if name == BLIND
        else (
          table.iou(name, component)[rows],
          None if cdice is None else cdice[rows],
        )
      )
      both = protocols.measure(*pair, patients, owners=owners, **options)
      for protocol in PROTOCOLS:
        of[protocol][finding] = both[protocol]
  return measures


def chosen_boxes(table, measures, name, protocol, component="largest"):
  """Give the predicted box of every row under a protocol's own thresholds.

  Args:
    table: a `LocalizationTable`.
    measures: of `measure_table`, same `component`.
    name: a map; the image-blind box has none to look up.
    protocol: `oracle`, or `crossfit` (its first repeat).
    component: one of `components.RULES`.

  Returns:
    `[P, 4]` float32; all zero where the threshold keeps no pixel, NaN where
    no threshold could be chosen.
  """
  boxes = np.full((len(table.finding), 4), np.nan, np.float32)
  for finding, measured in measures[name][protocol].items():
    if measured.chosen is not None:
      rows = np.flatnonzero(table.finding == finding)
      boxes[rows] = table.boxes[name][component][rows, measured.chosen[0]]
  return boxes


def with_mean(values):
  """Add `mean`, the plain average over the findings that are not None."""
  return {**values, "mean": mean_defined(values.values())[0]}


def _tree(per_finding, t_iou):
  """Turn finding -> `Measures` into measure -> finding or mean -> figure."""
  means = {name: m.means(t_iou) for name, m in per_finding.items()}
  tree = {"t_iou": {}}
  for path in protocols.Measures(None, None, None).means(t_iou):
    values = with_mean({name: mean[path] for name, mean in means.items()})
    (tree if len(path) == 1 else tree["t_iou"])[path[-1]] = values
  return tree


def _choices(table, measures):
  """List what was chosen: thresholds, or boxes in 0..1 of the frame."""
  height, width = table.frame

  def said(name, finding, chosen):
    if chosen is None:
      return None
    if name == BLIND:
      boxes = table.true_box[table.finding == finding][np.unique(chosen)]
      return (boxes / [width, height, width, height]).round(4).tolist()
    return table.thresholds[np.unique(chosen)].tolist()

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
    "image_blind": "one constant box per finding, a true box (medoid)",
    "component": component,
    "connectivity": 8,
    "frame": list(table.frame),
    "thresholds": table.thresholds.tolist(),
    "maps": {
      name: {"threshold_means": rule.meaning, "cdice_scale": rule.scale}
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


def assemble(
  classification,
  table,
  *,
  dataset,
  provenance,
  findings=BOXED_FINDINGS,
  components=RULES,
  t_iou=T_IOU,
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
    **options: `folds`, `repeats`, `seed` of `protocols.crossfit`.

  Returns:
    dict, see `docs`: `auc.<finding|mean>`,
    `localization.<map|image_blind>.<oracle|crossfit>.<iou|cdice>.<finding|mean>`
    and `....t_iou.<t>.<finding|mean>`, `counts`, `undefined`, ...
  """
  trees = {}
  for i, component in enumerate(components):
    measures = measure_table(table, findings, component, **options)
    trees["localization" + (f"_{component}" if i else "")] = {
      name: {p: _tree(of, t_iou) for p, of in both.items()}
      for name, both in measures.items()
    }
    if not i:
      chosen = _choices(table, measures)
  patients = {
    f: int(np.unique(table.patient[table.finding == f]).size) for f in findings
  }
  other = sorted(set(table.finding.tolist()) - set(findings))
  return {
    "schema_version": SCHEMA_VERSION,
    "disclaimer": DISCLAIMER,
    "dataset": dataset,
    "auc": with_mean(classification.auc),
    "average_precision": with_mean(classification.average_precision),
    **trees,
    "chosen": chosen,
    "protocol": _protocol(table, components[0], options),
    "counts": {
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
    },
    "undefined": [
      {"where": "auc", "finding": name, "reason": reason}
      for name, reason in classification.undefined.items()
    ]
    + _box_reasons(table, findings),
    "provenance": dict(provenance),
  }


def write_json(results, path):
  """Write strict JSON: a NaN is an error here, not a puzzle for a reader."""
  text = json.dumps(results, indent=2, allow_nan=False)
  Path(path).write_text(text + "\n", encoding="utf-8")
