"""What an evaluation needs of the test split besides maps and boxes."""

from typing import Any

import numpy as np

from chexjax import evaluation
from chexjax.data.sources import patient_facts
from chexjax.evaluation.protocols.decisions import decide
from chexjax.evaluation.protocols.wrong_calls import score_cuts, worst_calls
from chexjax.report.cases import CaseWriter


class SplitRecorder:
  """Collects image scores, patients' facts and pictures during scoring.

  Attributes:
    others: `OtherBoxes`; None until the whole split is scored.
  """

  def __init__(self, cases: CaseWriter, **folds: Any):
    """Start without any image.

    Args:
      cases: receives the pictures.
      **folds: `folds`, `repeats` and `seed` of `decide`, which says what is
        called wrongly.
    """
    self._cases, self._folds = cases, folds
    self._rows: list[tuple] = []
    self._about: dict[str, list] = {}
    self.others: Any = None

  def image(self, example: dict, logits: np.ndarray) -> None:
    """Record an image.

    Args:
      example: of a `Source`.
      logits: `[K]`, of the full image.
    """
    scores = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    self._rows.append(
      (
        example["file_name"].decode(),
        int(example["patient_id"]),
        np.asarray(example["labels"]),
        scores,
      )
    )
    for name, value in patient_facts(example).items():
      self._about.setdefault(name, []).append(value)

  def case(self, example: dict, finding: str, maps: dict, *, rows: int) -> None:
    """Store the pictures of a case: the film, and a finding's maps.

    Args:
      example: of a `Source`.
      finding: that has a box on this film.
      maps: name -> `[h, w]`.
      rows: true boxes of the case, each a row of the localisation table.
    """
    name = example["file_name"].decode()
    self._cases.image(name, example["image"])
    self._cases.case(name, finding, maps, rows=rows)

  def wrong_calls(
    self, names: list[str], table: evaluation.LocalizationTable
  ) -> dict[str, list[str]]:
    """Return the worst false alarms and misses that no case shows yet.

    Args:
      names: of the K findings.
      table: of the boxed cases.

    Returns:
      File name of a film -> findings that are called wrongly.
    """
    images = self.images(names)
    cuts = score_cuts(decide(images, **self._folds).thresholds)
    boxed = {*zip(table.image.tolist(), table.finding.tolist())}
    found: dict[str, list[str]] = {}
    for call in worst_calls(images, cuts, without=boxed):
      found.setdefault(call.image, []).append(call.finding)
    return found

  def wrong_call(self, example: dict, finding: str, maps: dict) -> None:
    """Store the pictures of a false alarm or miss.

    Args:
      example: of a `Source`.
      finding: that is called wrongly.
      maps: name -> `[h, w]`.
    """
    name = example["file_name"].decode()
    self._cases.image(name, example["image"])
    self._cases.wrong_call(name, finding, maps)

  def images(self, names: list[str]) -> evaluation.Images:
    """Return the recorded images, with probabilities from their logits.

    Args:
      names: of the K findings.
    """
    image, patient, labels, scores = zip(*self._rows)
    return evaluation.make_images(
      image,
      patient,
      np.stack(labels),
      np.stack(scores),
      names,
      **self._about,
    )
