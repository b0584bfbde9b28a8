"""What an evaluation needs of the test split besides maps and boxes."""

from typing import Any

import numpy as np

from chexjax import evaluation
from chexjax.data.sources import patient_facts
from chexjax.report.cases import CaseWriter


class SplitRecorder:
  """Collects image scores, patients' facts and pictures during scoring.

  Attributes:
    others: `OtherBoxes`; None until the whole split is scored.
  """

  def __init__(self, cases: CaseWriter):
    """Start without any image.

    Args:
      cases: receives the pictures.
    """
    self._cases = cases
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
