"""Boxes that are not in the frame of NIH's list."""

import math
from collections.abc import Sequence

from tfds_chestxray14 import findings

# So many boxes lie all over the film; the published list has 984.
_MANY = 20


def frame_fault(boxes: Sequence[Sequence[float]]) -> str:
  """Return why boxes as a whole are not in NIH's frame, or an empty text.

  Args:
    boxes: x, y, width and height of each; what is no finite number is left to
      other checks.
  """
  finite = [box for box in boxes if all(map(math.isfinite, box))]
  if not finite:
    return ""
  frame = f"the {findings.BOX_FRAME:g}x{findings.BOX_FRAME:g} frame"
  if max(max(box) for box in finite) <= 1:
    return (
      f"no number of its {len(finite)} boxes is above 1, so they look like "
      f"fractions of the image; NIH's list has pixels of {frame}: multiply by "
      f"{findings.BOX_FRAME:g}"
    )
  reach = max(max(x + w, y + h) for x, y, w, h in finite)
  if len(finite) >= _MANY and reach <= findings.BOX_FRAME / 2:
    return (
      f"all {len(finite)} boxes end before pixel {reach:g}, so they look "
      f"scaled to smaller images; NIH's list has pixels of {frame} whatever "
      "the size of the images"
    )
  return ""
