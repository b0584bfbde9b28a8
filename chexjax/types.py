"""The few values that cross rooms, and the box convention.

Boxes are `[..., 4]` float32 `x1, y1, x2, y2` in pixels of the model's input
image, origin at the top left, x2 and y2 exclusive (width = x2 - x1).
Images travel as uint8 `[B, H, W, 1]`; layout is NHWC everywhere.
"""

import dataclasses
from typing import Any, NamedTuple

# NIH's spelling, alphabetical. `No Finding` means that all are absent; it is
# not a class.
FINDINGS: tuple[str, ...] = (
  "Atelectasis",
  "Cardiomegaly",
  "Consolidation",
  "Edema",
  "Effusion",
  "Emphysema",
  "Fibrosis",
  "Hernia",
  "Infiltration",
  "Mass",
  "Nodule",
  "Pleural_Thickening",
  "Pneumonia",
  "Pneumothorax",
)

# The findings that have boxes in ChestX-ray14's BBox_List_2017.csv.
BOXED_FINDINGS: tuple[str, ...] = (
  "Atelectasis",
  "Cardiomegaly",
  "Effusion",
  "Infiltration",
  "Mass",
  "Nodule",
  "Pneumonia",
  "Pneumothorax",
)

# What results call the drawn films, and the file that tells their folder from
# one of ChestX-ray14.
PHANTOM = "phantom"
PHANTOM_MANIFEST = "phantom.json"

# What results.json calls figures over all findings; no finding may.
RESERVED: tuple[str, ...] = ("mean", "all")


class Batch(NamedTuple):
  """The input of a train or evaluation step.

  Attributes:
    image: `[B, H, W, 1]` uint8.
    labels: `[B, K]` float32, 1 where the finding is labelled present, else 0.
    mask: `[B]` float32, 1 for an example, 0 for padding of the last batch.
    index: `[B]` int32, position in the split; -1 for padding.
    boxes: `[B, K, M, 4]` float32 in pixels, NaN where there is none; None
      unless the split is one that boxes are trained on.
  """

  image: Any
  labels: Any
  mask: Any
  index: Any
  boxes: Any = None


@dataclasses.dataclass(frozen=True)
class MapOptions:
  """How probabilities and maps are averaged, and maps are placed.

  None of it sees a box. Off by default.

  Attributes:
    flip: Whether the film is seen mirrored too, and the answers are averaged.
    shift: Pixels of the input by which the film is moved to each of four sides,
      and the answers are averaged; a multiple of 4.
    smooth: Deviation of the Gaussian that smooths placed maps, as a fraction of
      the side.
    least_size: Sides of the boxes of placed maps are at least this fraction of
      the film's, but for boxes that the film's border cuts.
    prior: Weight, in 0..1, that a placed map gives to the mean saliency of the
      finding over its positive training films.
    centre: Weight, in 0..1, that a placed map gives to the middle of the film,
      as the row `centre_prior`; with `prior` at most 1.
    centre_by_auc: Whether that weight is each finding's own, the less its
      answers are worth the more: of what `prior` leaves, 2 (1 - AUC), of the
      validation films.
  """

  flip: bool = False
  shift: int = 0
  smooth: float = 0.0
  least_size: float = 0.0
  prior: float = 0.0
  centre: float = 0.0
  centre_by_auc: bool = False

  @property
  def places(self) -> bool:
    """Whether there are placed maps beside the model's own."""
    asked = (self.smooth, self.least_size, self.prior, self.centre)
    return self.centre_by_auc or any(value > 0 for value in asked)

  def faults(self) -> list[str]:
    """Return what is wrong with the options, as texts."""
    found = []
    if self.shift < 0 or self.shift % 4:
      found.append(f"shift must be a multiple of 4 pixels, got {self.shift}")
    for name in ("smooth", "least_size"):
      if not 0 <= getattr(self, name) < 1:
        found.append(f"{name} must be in 0..1, got {getattr(self, name)}")
    if not 0 <= self.prior <= 1:
      found.append(f"prior must be in 0..1, got {self.prior}")
    if not 0 <= self.centre <= 1 - self.prior + 1e-9:
      found.append(f"centre must be in 0..1 - prior, got {self.centre}")
    if self.centre_by_auc and self.centre:
      found.append(f"centre_by_auc needs --centre=0, got {self.centre}")
    return found


AS_DRAWN = MapOptions()
