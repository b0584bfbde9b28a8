"""What an evaluation needs of the test split beside maps and boxes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from chexjax import evaluation
from chexjax.report.cases import CaseWriter
from tfds_chestxray14.findings import SEXES, VIEWS

# What a set may say of its films; one's own set says none of it.
_ABOUT: dict[str, Callable[[Any], Any]] = {
  "view": lambda value: VIEWS[int(value)],
  "sex": lambda value: SEXES[int(value)],
  "age": int,
}


class SplitRecorder:
  """Listens while the test split is scored.

  Attributes:
    others: `OtherBoxes`, set when the split is done.
  """

  def __init__(self, cases: CaseWriter):
    """Starts empty; pictures go to `cases`."""
    self._cases = cases
    self._rows: list[tuple] = []
    self._about: dict[str, list] = {}
    self.others: Any = None

  def image(self, example: dict, logits: np.ndarray) -> None:
    """Notes an image and its `[K]` logits."""
    scores = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    self._rows.append(
      (
        example["file_name"].decode(),
        int(example["patient_id"]),
        np.asarray(example["labels"]),
        scores,
      )
    )
    for name, read in _ABOUT.items():
      if name in example:
        self._about.setdefault(name, []).append(read(example[name]))

  def case(self, example: dict, finding: str, maps: dict, *, rows: int) -> None:
    """Stores the pictures of a boxed case."""
    name = example["file_name"].decode()
    self._cases.image(name, example["image"])
    self._cases.case(name, finding, maps, rows=rows)

  def images(self, names: list[str]) -> evaluation.Images:
    """Returns the images noted, with the names of the findings."""
    image, patient, labels, scores = zip(*self._rows)
    return evaluation.make_images(
      image,
      patient,
      np.stack(labels),
      np.stack(scores),
      names,
      **self._about,
    )
