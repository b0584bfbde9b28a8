"""The classified images: labels, scores, and what is known of the patient."""

from typing import NamedTuple

import numpy as np

from chexjax.evaluation.measures.classification import check_scores

VIEWS = ("AP", "PA")
SEXES = ("F", "M")


class Images(NamedTuple):
  """One row per image.

  Attributes:
    image: `[N]` str, names.
    patient: `[N]` str.
    labels: `[N, K]` bool.
    scores: `[N, K]` float64, higher means more likely.
    names: `[K]` findings.
    view: `[N]` str, `AP` or `PA`; empty where unknown.
    sex: `[N]` str, `F` or `M`; empty where unknown.
    age: `[N]` int, years; -1 where unknown.
  """

  image: np.ndarray
  patient: np.ndarray
  labels: np.ndarray
  scores: np.ndarray
  names: tuple[str, ...]
  view: np.ndarray
  sex: np.ndarray
  age: np.ndarray

  def places(self, image):
    """Give the `[P]` rows of images by name; raise on one that is not here."""
    order = np.argsort(self.image)
    found = np.searchsorted(self.image, image, sorter=order)
    rows = order[np.minimum(found, len(order) - 1)]
    unknown = np.asarray(image)[self.image[rows] != image]
    if unknown.size:
      raise ValueError(f"{unknown[0]} has a box but no scores")
    return rows

  def columns(self, finding):
    """Give the `[P]` columns of findings; raise on one without scores."""
    missing = sorted(set(finding) - set(self.names))
    if missing:
      raise ValueError(f"no scores of {', '.join(missing)}")
    return np.array([self.names.index(name) for name in finding], int)


def make_images(
  image, patient, labels, scores, names, *, view=None, sex=None, age=None
):
  """Check and convert the columns of `Images`; what is None is unknown."""
  labels, scores = check_scores(labels, scores, names)
  num = len(labels)
  return Images(
    np.asarray(image, str),
    np.asarray(patient, str),
    labels,
    scores,
    tuple(names),
    np.full(num, "") if view is None else np.asarray(view, str),
    np.full(num, "") if sex is None else np.asarray(sex, str),
    np.full(num, -1) if age is None else np.asarray(age, int),
  )
