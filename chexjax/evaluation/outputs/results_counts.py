"""The keys `counts` and `undefined` of `results.json`."""

from collections.abc import Collection, Sequence
from typing import Any

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.measures.classification import (
  NO_SCORES,
  Classification,
)
from chexjax.evaluation.protocols.patient_counts import LEAST, PatientCounts


def counts(
  classification: Classification,
  table: LocalizationTable,
  findings: Sequence[str],
  patients: PatientCounts,
  images: ScoredImages | None,
) -> dict[str, Any]:
  """Return how many images, boxes and patients each figure rests on.

  Args:
    classification: AUC and average precision, of `classify`.
    table: one row per boxed pair.
    findings: names of the findings that are localised.
    patients: that the figures rest on.
    images: the classified images, or None.

  Returns:
    The tree of `counts`.
  """
  unknown = {}
  if images is not None:
    unknown = dict(zip(images.names, images.unknown.sum(0).tolist()))
  auc, boxes = classification.auc, table.box_count()
  counted = [patients.boxed[f] for f in patients.in_localization]
  other = sorted(set(table.finding.tolist()) - set(findings))
  return {
    "positives": classification.positives,
    "negatives": classification.negatives,
    "unknown_labels": {name: n for name, n in unknown.items() if n},
    "positive_patients": patients.positive,
    "auc_findings": sum(auc[f] is not None for f in patients.in_auc),
    "boxes": {f: int(boxes[table.finding == f].sum()) for f in findings},
    "pairs": {f: int((table.finding == f).sum()) for f in findings},
    "box_patients": patients.boxed,
    "localization_findings": {
      "oracle": sum(count > 0 for count in counted),
      "crossfit": sum(count > 1 for count in counted),
    },
    "boxes_of_other_findings": {
      f: int(boxes[table.finding == f].sum()) for f in other
    },
  }


def few_patients(
  classification: Classification, patients: PatientCounts
) -> dict[str, Any]:
  """Return the findings whose figures rest on few patients.

  Args:
    classification: AUC and average precision, of `classify`.
    patients: that the figures rest on.

  Returns:
    The tree of `few_patients`: `least`, and `auc` and `localization`, finding
    -> patients, of those that have a figure.
  """
  auc, boxed = patients.positive.items(), patients.boxed.items()
  return {
    "least": LEAST,
    "auc": {
      f: n for f, n in auc if n < LEAST and classification.auc[f] is not None
    },
    "localization": {f: n for f, n in boxed if 0 < n < LEAST},
  }


def undefined(
  classification: Classification,
  patients: PatientCounts,
  *,
  unscored: Collection[str] = (),
  detected: bool = False,
) -> list[dict[str, str]]:
  """Return which figures are None, and why.

  Args:
    classification: AUC and average precision, of `classify`.
    patients: that the figures rest on.
    unscored: findings without scores.
    detected: whether there are mAP and RoDeO.

  Returns:
    `where`, `finding` and `reason` of each; `finding` is `mean` for the mean
    over findings.
  """
  found = [("auc", n, why) for n, why in classification.undefined.items()]
  for name, count in patients.boxed.items():
    if not count:
      found.append(("localization", name, "no true box"))
    elif count < 2:
      why = "one patient: no other to choose on"
      found.append(("localization.*.crossfit", name, why))
    if count and name in unscored:
      found.append(("localization.*.predicted", name, NO_SCORES))
      found.append(("detection", name, NO_SCORES))
  kinds = [name for name in patients.boxed if name not in unscored]
  if detected and len(kinds) == 1:
    why = "with one finding, none can be taken for another"
    found.append(("detection.*.rodeo.classification", kinds[0], why))
    found.append(("detection.*.rodeo.total", kinds[0], why))
  few = f"no finding has {LEAST} patients"
  if not any(classification.auc[f] is not None for f in patients.in_auc):
    scored = any(auc is not None for auc in classification.auc.values())
    found.append(("auc", "mean", few if scored else "no finding has an AUC"))
  if any(patients.boxed.values()) and not patients.in_localization:
    found.append(("localization", "mean", few))
  return [
    {"where": where, "finding": name, "reason": why}
    for where, name, why in found
  ]
