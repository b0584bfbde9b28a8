"""The keys `counts` and `undefined` of `results.json`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.measures.classification import (
  Classification,
  mean_defined,
)


def counts(
  classification: Classification,
  table: LocalizationTable,
  findings: Sequence[str],
) -> dict[str, Any]:
  """Return how many images, boxes and patients each figure rests on.

  Args:
    classification: AUC and average precision, of `classify`.
    table: one row per true box.
    findings: names of the findings that are localised.

  Returns:
    The tree of `counts`.
  """
  patients = _patients(table, findings)
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


def _patients(
  table: LocalizationTable, findings: Sequence[str]
) -> dict[str, int]:
  """Return the number of patients with a true box of each finding."""
  return {
    f: int(np.unique(table.patient[table.finding == f]).size) for f in findings
  }


def undefined(
  classification: Classification,
  table: LocalizationTable,
  findings: Sequence[str],
) -> list[dict[str, str]]:
  """Return which figures are None, and why.

  Args:
    classification: AUC and average precision, of `classify`.
    table: one row per true box.
    findings: names of the findings that are localised.

  Returns:
    `where`, `finding` and `reason` of each.
  """
  reasons = [
    {"where": "auc", "finding": name, "reason": reason}
    for name, reason in classification.undefined.items()
  ]
  for finding, count in _patients(table, findings).items():
    if count < 2:
      where, why = (
        ("localization.*.crossfit", "one patient: no other to choose on")
        if count
        else ("localization", "no true box")
      )
      reasons.append({"where": where, "finding": finding, "reason": why})
  return reasons
