"""Figures of small multiples, drawn without pyplot and written as PNG."""

import os
from typing import IO, Any

File = str | os.PathLike[str] | IO[bytes]
_DPI = 110


def small_multiples(
  number: int, columns: int, *, width: float = 2.5, height: float = 2.2
) -> tuple[Any, Any]:
  """Make a figure of small multiples without pyplot.

  Args:
    number: of axes.
    columns: axes per row.
    width: inches of one of them.
    height: inches of one of them.

  Returns:
    The figure and its `[number]` axes.
  """
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure

  rows = -(-number // columns)
  size = (columns * width, rows * height + 0.5)
  figure = Figure(figsize=size, layout="constrained")
  FigureCanvasAgg(figure)
  axes = figure.subplots(rows, columns, squeeze=False).ravel()
  for spare in axes[number:]:
    spare.set_axis_off()
  return figure, axes[:number]


def save_png(figure: Any, file: File, *, legend: Any = None) -> None:
  """Write a figure as PNG.

  Args:
    figure: to write.
    file: path or open binary file.
    legend: axes whose legend is that of the figure, or None.
  """
  if legend is not None:
    handles, labels = legend.get_legend_handles_labels()
    if handles:
      figure.legend(
        handles, labels, loc="outside upper center", ncols=4, fontsize=9
      )
  figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})


def set_title(axes: Any, text: str, *, pad: float = 6) -> None:
  """Set the title of axes.

  Args:
    axes: to change.
    text: with underscores for spaces.
    pad: points between the axes and the title.
  """
  axes.set_title(text.replace("_", " "), fontsize=9, pad=pad, parse_math=False)
  axes.tick_params(labelsize=7)
