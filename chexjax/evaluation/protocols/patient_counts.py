"""How many patients a finding's figures rest on, and which enter a mean.

A figure of two or three patients is mostly chance, and often flatters. A
finding with fewer than `LEAST` patients keeps its figures, marked, and is left
out of every mean over findings.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.measures.classification import Classification

LEAST = 10


def enough(patients: Mapping[str, int]) -> frozenset[str]:
  """Return the findings that enter a mean.

  Args:
    patients: finding -> number of patients.

  Returns:
    The findings with at least `LEAST` patients.
  """
  return frozenset(name for name, count in patients.items() if count >= LEAST)


def positive_patients(images: ScoredImages) -> dict[str, int]:
  """Count the patients with an image that is labelled with each finding.

  Args:
    images: labels and patients.

  Returns:
    Finding -> number of patients.
  """
  return {
    name: int(np.unique(images.patient[labelled]).size)
    for name, labelled in zip(images.names, images.labels.T)
  }


def boxed_patients(
  table: LocalizationTable, findings: Sequence[str]
) -> dict[str, int]:
  """Count the patients with a true box of each finding.

  Args:
    table: the true boxes.
    findings: names of the findings that are localised.

  Returns:
    Finding -> number of patients.
  """
  return {
    f: int(np.unique(table.patient[table.finding == f]).size) for f in findings
  }


class PatientCounts(NamedTuple):
  """The patients that the figures of each finding rest on.

  Attributes:
    positive: finding -> patients with an image labelled with it; of AUC and
      average precision.
    boxed: finding -> patients with a true box; of the localisation.
  """

  positive: dict[str, int]
  boxed: dict[str, int]

  @property
  def in_auc(self) -> frozenset[str]:
    """The findings in the means of the classification."""
    return enough(self.positive)

  @property
  def in_localization(self) -> frozenset[str]:
    """The findings in the means of the localisation."""
    return enough(self.boxed)


def count_patients(
  classification: Classification,
  table: LocalizationTable,
  findings: Sequence[str],
  images: ScoredImages | None,
) -> PatientCounts:
  """Count the patients behind all figures.

  Args:
    classification: gives the positive images where no patient is known.
    table: the true boxes.
    findings: names of the findings that are localised.
    images: labels and patients; without, each positive image counts as one
      patient.

  Returns:
    The `PatientCounts`.
  """
  return PatientCounts(
    dict(classification.positives)
    if images is None
    else positive_patients(images),
    boxed_patients(table, findings),
  )
