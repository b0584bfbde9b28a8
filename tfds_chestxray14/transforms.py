"""Examples in a form that batches: arrays of one shape each, text as `str`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# BBox_List_2017.csv has four boxes on one image and fewer on all others.
MAX_BOXES = 4


def flat(example: Mapping[str, Any]) -> dict[str, Any]:
  """Return an example without nesting; its boxes are arrays.

  Args:
    example: Of a data source, or of `tfds.as_numpy`.

  Returns:
    The example's other features; `file_name` as `str`; `boxes`, `[n, 4]`
    float32, [ymin, xmin, ymax, xmax] as fractions; `box_labels`, `[n]` int32,
    the finding of each, an index into `FINDINGS`. n may be 0.
  """
  found = {key: example[key] for key in example if key != "objects"}
  name = found["file_name"]
  found["file_name"] = name.decode() if isinstance(name, bytes) else str(name)
  objects = example["objects"]
  found["boxes"] = np.array(objects["bbox"], np.float32).reshape(-1, 4)
  found["box_labels"] = np.array(objects["label"], np.int32).reshape(-1)
  return found


def padded(
  example: Mapping[str, Any], *, max_boxes: int = MAX_BOXES
) -> dict[str, Any]:
  """Return an example as `flat` does, with the same number of boxes for all.

  Args:
    example: Of a data source, or of `tfds.as_numpy`.
    max_boxes: Rows of the boxes; the default holds any image of the set.

  Returns:
    As `flat`, but `boxes` is `[max_boxes, 4]` with zeros after the last box and
    `box_labels` `[max_boxes]` with -1; `box_mask`, `[max_boxes]` bool, is true
    where there is a box.

  Raises:
    ValueError: The image has more boxes than `max_boxes`; names it.
  """
  found = flat(example)
  boxes, labels = found["boxes"], found["box_labels"]
  n = len(boxes)
  if n > max_boxes:
    raise ValueError(
      f"{found['file_name']} has {n} boxes, more than max_boxes={max_boxes}"
    )
  found["boxes"] = np.zeros((max_boxes, 4), np.float32)
  found["boxes"][:n] = boxes
  found["box_labels"] = np.full(max_boxes, -1, np.int32)
  found["box_labels"][:n] = labels
  found["box_mask"] = np.arange(max_boxes) < n
  return found
