"""The labels and true boxes that predictions are scored against."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chexjax.evaluation.measures.heat_maps import Frame
from chexjax.types import RESERVED


@dataclasses.dataclass(frozen=True)
class Truth:
  """What is known of the films that are scored.

  Attributes:
    images: `[N]` names, all different.
    patients: `[N]` patient of each film: folds and intervals keep a patient
      together.
    findings: `[K]` names.
    labels: `[N, K]` of 0 and 1, NaN where unknown: such a film does not count
      for the finding.
    boxes: image -> finding -> `[4]` or `[M, 4]` true boxes x1, y1, x2, y2 in
      pixels of the frame; images without boxes may be left out. Or an array
      `[N, K, 4]`, NaN where there is no box, which becomes such a mapping.
    frame: height and width of the frame, in pixels.
    boxed_findings: the findings that are localised; None for those of
      `findings` that have a box.
    dataset: what the results call the data.
    view: `[N]` `AP` or `PA`, or None. It adds subgroups, as the next two do.
    sex: `[N]` `F` or `M`, or None.
    age: `[N]` years, or None.
  """

  images: Sequence[str]
  patients: Sequence[Any]
  findings: Sequence[str]
  labels: np.ndarray
  boxes: Mapping[str, Mapping[str, np.ndarray]] | np.ndarray
  frame: Frame
  boxed_findings: Sequence[str] | None = None
  dataset: str = "own"
  view: Sequence[str] | None = None
  sex: Sequence[str] | None = None
  age: Sequence[int] | None = None

  def __post_init__(self) -> None:
    """Check names and boxes, and turn an array of boxes into a mapping.

    Raises:
      ValueError: if two images have one name, the boxes another shape, a
        box lies outside of the frame, or a finding has a name that is taken.
    """
    if len(set(self.images)) < len(self.images):
      raise ValueError("images must all have different names")
    if taken := sorted(set(RESERVED) & set(self.findings)):
      raise ValueError(
        f"no finding may be called {' or '.join(taken)}: the figures over all "
        "findings are called so"
      )
    if not isinstance(self.boxes, Mapping):
      self._name_boxes()
    self._check_frame()

  def _name_boxes(self) -> None:
    """Turn an array of boxes into a mapping."""
    boxes = np.asarray(self.boxes, np.float64)
    want = (len(self.images), len(self.findings), 4)
    if boxes.shape != want:
      raise ValueError(f"boxes must be [N, K, 4] = {want}, got {boxes.shape}")
    there = np.asarray(np.isfinite(boxes).all(-1))
    named = {
      image: {
        f: boxes[i, k] for k, f in enumerate(self.findings) if there[i, k]
      }
      for i, image in enumerate(self.images)
    }
    object.__setattr__(self, "boxes", {n: of for n, of in named.items() if of})

  def _check_frame(self) -> None:
    """Refuse a box without a pixel of the frame: it is of another frame."""
    height, width = self.frame
    for image, found in self.named_boxes.items():
      for finding in found:
        for box in self.true_boxes(image, finding):
          if box[0] >= width or box[1] >= height or (box[2:] <= 0).any():
            raise ValueError(
              f"the true box {box.tolist()} of {image}, {finding} lies outside "
              f"of the frame, {height:g} x {width:g} pixels; boxes are x1, y1, "
              "x2, y2 in pixels of the frame"
            )

  @property
  def named_boxes(self) -> Mapping[str, Mapping[str, np.ndarray]]:
    """The boxes as a mapping: image -> finding -> boxes."""
    assert isinstance(self.boxes, Mapping)
    return self.boxes

  def localised(self) -> list[str]:
    """Return the findings that are localised.

    Returns:
      Their names, in the order of `boxed_findings`, else of `findings`.
    """
    if self.boxed_findings is not None:
      return list(self.boxed_findings)
    having = {f for of in self.named_boxes.values() for f in of}
    return [name for name in self.findings if name in having]

  def true_boxes(self, image: str, finding: str) -> np.ndarray:
    """Return the true boxes of a pair of image and finding.

    Args:
      image: name of the image.
      finding: name of the finding.

    Returns:
      `[M, 4]` float64 in pixels of the frame; M = 0 without any.
    """
    box = self.named_boxes.get(image, {}).get(finding, np.zeros((0, 4)))
    return np.asarray(box, np.float64).reshape(-1, 4)

  def boxed_pairs(self) -> set[tuple[str, str]]:
    """Return the pairs of image and localised finding that have a true box.

    Returns:
      Pairs of the two names.
    """
    localised = set(self.localised())
    return {
      (image, finding)
      for image in self.images
      for finding in self.named_boxes.get(image, {})
      if finding in localised and len(self.true_boxes(image, finding))
    }
