"""The few values that cross rooms, and the box convention.

Boxes are `[..., 4]` float32 `x1, y1, x2, y2` in pixels of the model's input
image, origin at the top left, x2 and y2 exclusive (width = x2 - x1).
Images travel as uint8 `[B, H, W, 1]`; layout is NHWC everywhere.
"""

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


class Batch(NamedTuple):
  """The input of a train or evaluation step.

  Attributes:
    image: `[B, H, W, 1]` uint8.
    labels: `[B, K]` float32, 1 where the finding is labelled present, else 0.
    mask: `[B]` float32, 1 for an example, 0 for padding of the last batch.
    index: `[B]` int32, position in the split; -1 for padding.
  """

  image: Any
  labels: Any
  mask: Any
  index: Any
