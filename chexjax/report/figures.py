"""Pictures of cases: the image, its heat maps, the predicted and true box.

A map is stretched from its own lowest to its own highest value, and high values
are more opaque. It shows where the finding is, not how strong the evidence is,
so the highest value is written under the map, with the IoU of its box.
Predicted boxes are dashed cyan, true boxes solid green: the line styles differ
for readers who cannot tell the colours apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation import trained_name, without_untrained
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.outputs.table_cells import map_label

_TITLES = {
  "sal": "Saliency",
  "det": "Detection",
  "mix": "Mix",
}
TRUE: dict[str, Any] = {"edgecolor": "#3ddc3d", "linestyle": "-"}
PREDICTED: dict[str, Any] = {"edgecolor": "#2ee6ff", "linestyle": "--"}
SIDE = 2.6  # inches of one picture


class Case(NamedTuple):
  """One image and one finding; boxes in pixels of the image.

  Attributes:
    image: `[H, W]` or `[H, W, 1]` uint8.
    maps: name -> `[h, w]` of any size, stretched over the image.
    predicted: one box `[4]` for all maps, or name -> box, or None. Instead of
      an empty or NaN box the text "no box" is written.
    true: `[4]` or `[M, 4]` boxes, or None.
    title: such as the finding and the image's name.
  """

  image: Any
  maps: Mapping[str, Any]
  predicted: Any = None
  true: Any = None
  title: str = ""


def _figure(rows: int, columns: int, side: float) -> tuple[Any, Any]:
  """Make a figure without pyplot, which keeps every figure until closed."""
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure

  size = (columns * side, rows * (side + 0.27) + 0.75)
  figure = Figure(figsize=size, layout="constrained")
  FigureCanvasAgg(figure)
  return figure, figure.subplots(rows, columns, squeeze=False)


def map_title(name: str) -> str:
  """Return a map's name as titles and legends write it.

  Args:
    name: of the map.
  """
  trained = trained_name(name)
  title = _TITLES.get(trained)
  if title is None:
    return map_label(name)
  return title if trained == name else f"{title}, untrained head"


def _check(case: Case) -> np.ndarray:
  """Return a case's image as `[H, W]`, or raise a ValueError."""
  image = np.asarray(case.image)
  if image.ndim == 3 and image.shape[-1] == 1:
    image = image[..., 0]
  if image.ndim != 2 or image.dtype != np.uint8:
    raise ValueError(
      f"want an image [H, W] uint8, got {image.shape} {image.dtype}"
    )
  for name, heat in case.maps.items():
    if np.ndim(heat) != 2 or not np.isfinite(heat).all():
      raise ValueError(
        f"map {name}: want finite [h, w], got shape {np.shape(heat)}"
      )
  return image


def _draw_boxes(axes: Any, boxes: Any, style: dict[str, Any]) -> None:
  from matplotlib.patches import Rectangle
  from matplotlib.patheffects import Normal, Stroke

  if boxes is None:
    return
  for x1, y1, x2, y2 in np.reshape(boxes, (-1, 4)):
    # imshow draws the first pixel from -0.5 to 0.5; boxes start at 0.
    patch = Rectangle(
      (x1 - 0.5, y1 - 0.5), x2 - x1, y2 - y1, fill=False, linewidth=1.8, **style
    )
    patch.set_path_effects([Stroke(linewidth=3.2, foreground="k"), Normal()])
    axes.add_patch(patch)


def _draw_map(axes: Any, heat: Any, shape: tuple[int, ...]) -> str:
  """Draw a map over an image; return the text about its highest value."""
  heat = np.asarray(heat, float)
  low, high = heat.min(), heat.max()
  part = (heat - low) / (high - low) if high > low else np.zeros_like(heat)
  height, width = shape
  axes.imshow(
    part,
    cmap="inferno",
    vmin=0,
    vmax=1,
    alpha=0.15 + 0.6 * part,
    interpolation="bilinear",
    extent=(-0.5, width - 0.5, height - 0.5, -0.5),
  )
  return f"highest {high:.2g}"


def _draw_row(
  row: Any, case: Case, names: Sequence[str], *, first: bool
) -> None:
  """Draw a case on a row of axes; the first row has titles."""
  image = _check(case)
  height, width = image.shape
  for axes, name in zip(row, (None, *names)):
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    said, box = [], None if name is None else case.predicted
    if name is not None and name in case.maps:
      said.append(_draw_map(axes, case.maps[name], image.shape))
    if isinstance(box, Mapping):
      box = box.get(name)
    _draw_boxes(axes, case.true, TRUE)
    if box is not None and not overlap.area(box) > 0:
      said.append("no box")
      box = None
    _draw_boxes(axes, box, PREDICTED)
    if box is not None and case.true is not None:
      best = np.max(overlap.iou(np.reshape(case.true, (-1, 4)), box))
      said.append(f"IoU {best:.2f}")
    axes.set_xlabel(" · ".join(said), fontsize=9, labelpad=3)
    axes.set(
      xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[]
    )
    if first:
      title = "Input" if name is None else map_title(name)
      axes.set_title(title, fontsize=11)
  row[0].set_ylabel(case.title, fontsize=9, parse_math=False)


def _legend(figure: Any) -> None:
  from matplotlib.lines import Line2D

  lines = [
    Line2D([], [], color=s["edgecolor"], linestyle=s["linestyle"], linewidth=2)
    for s in (TRUE, PREDICTED)
  ]
  legend = figure.legend(
    lines,
    ["true box", "predicted box"],
    loc="outside lower center",
    ncols=2,
    fontsize=10,
    facecolor="#444444",
    labelcolor="white",
  )
  legend.get_frame().set_edgecolor("none")


def example_grid(
  path: Any,
  cases: Sequence[Case],
  *,
  title: str = "",
  side: float = SIDE,
  dpi: float = 110,
) -> None:
  """Draw cases as rows: the input, then every map with the predicted box.

  Args:
    path: PNG to write, or an open binary file.
    cases: one `Case` per row. The maps of the first one name the columns;
      those of an untrained head are not drawn.
    title: of the whole figure.
    side: inches of one picture.
    dpi: pixels per inch.

  Raises:
    ValueError: there is no case, an image is not uint8, or a map is not finite.
  """
  if not cases:
    raise ValueError("want at least one case to draw, got none")
  names = without_untrained(cases[0].maps)
  figure, axes = _figure(len(cases), 1 + len(names), side)
  for number, (row, case) in enumerate(zip(axes, cases)):
    _draw_row(row, case, names, first=number == 0)
  if title:
    figure.suptitle(title, fontsize=12, parse_math=False)
  _legend(figure)
  figure.savefig(path, dpi=dpi, metadata={"Software": None})


def example_figure(
  path: Any,
  image: Any,
  maps: Mapping[str, Any],
  *,
  predicted: Any = None,
  true: Any = None,
  title: str = "",
  **options: Any,
) -> None:
  """Draw one case: the input, every map over it, predicted and true box.

  Args:
    path: PNG to write, or an open binary file.
    image: `[H, W]` uint8.
    maps: name -> `[h, w]`.
    predicted: box `[4]` x1, y1, x2, y2 in pixels of the image, or name -> box,
      or None.
    true: `[4]` or `[M, 4]` boxes, or None.
    title: of the figure.
    **options: `side` and `dpi` of `example_grid`.

  Raises:
    ValueError: see `example_grid`.
  """
  case = Case(image, maps, predicted, true)
  example_grid(path, [case], title=title, **options)
