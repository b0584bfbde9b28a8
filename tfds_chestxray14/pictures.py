"""A sheet of examples with their labels and boxes, drawn by matplotlib."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from tfds_chestxray14.findings import FINDINGS
from tfds_chestxray14.transforms import flat

_BOX_COLOUR = "tab:orange"


def show_examples(
  examples: Iterable[Mapping[str, Any]], *, rows: int = 3, columns: int = 3
) -> Any:
  """Draw the first examples, titled with their labels, their boxes on them.

  `tfds.show_examples` needs TensorFlow, and shows neither.

  Args:
    examples: A data source, or what `tfds.as_numpy` makes of a
      `tf.data.Dataset`.
    rows: Of the sheet.
    columns: Of the sheet.

  Returns:
    The `matplotlib.figure.Figure`, for a notebook to show or for `savefig`.

  Raises:
    ImportError: matplotlib is not installed.
  """
  from matplotlib.figure import Figure
  from matplotlib.patches import Rectangle

  figure = Figure(figsize=(3 * columns, 3.4 * rows), layout="constrained")
  axes = figure.subplots(rows, columns, squeeze=False).flat
  for axis in figure.axes:
    axis.set_axis_off()
  for axis, raw in zip(axes, itertools.islice(examples, rows * columns)):
    example = flat(raw)
    image = example["image"][..., 0]
    height, width = image.shape
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    names = [name for name, has in zip(FINDINGS, example["labels"]) if has]
    title = "\n".join([example["file_name"], ", ".join(names) or "no finding"])
    axis.set_title(title, fontsize=7, wrap=True)
    for box, label in zip(example["boxes"], example["box_labels"]):
      ymin, xmin, ymax, xmax = box * (height, width, height, width) - 0.5
      size = (xmax - xmin, ymax - ymin)
      axis.add_patch(
        Rectangle((xmin, ymin), *size, fill=False, color=_BOX_COLOUR)
      )
      axis.text(
        xmin, ymin, FINDINGS[label], color=_BOX_COLOUR, fontsize=7, va="bottom"
      )
  return figure
