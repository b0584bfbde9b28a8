"""The figure of how a step grows: a panel for each law, all series in it."""

import pathlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from chexjax.io import replacing
from experiments.benchmark import frame

SQUARE, LINE = "its square", "a line, not through 0"
PROPORTIONAL, CONSTANT = "proportional", "constant"
# Power of the law; None for a line, which two points give.
_POWERS = {SQUARE: 2, LINE: None, PROPORTIONAL: 1, CONSTANT: 0}
_TITLES = {
  SQUARE: "expected: the square of the size",
  LINE: "expected: a line, not through 0",
  PROPORTIONAL: "expected: proportional to the size",
  CONSTANT: "expected: constant",
}
_NAME = re.compile(r"(.+) (\d+): ")
# Marker, colour, and where the sizes stand beside it, in points.
_MARKS = (
  ("o", "#0072B2", (5, -12)),
  ("s", "#D55E00", (-5, 6)),
  ("^", "#009E73", (-5, -12)),
)


class Series(NamedTuple):
  """Measurements that differ in one thing.

  Attributes:
    name: of that thing.
    law: how the time is expected to grow with it.
    places: its values.
    rows: milliseconds at each, and other figures.
  """

  name: str
  law: str
  places: tuple[int, ...]
  rows: list[frame.Row]


def series_of(rows: Sequence[dict[str, Any]]) -> list[Series]:
  """Returns the series of stored rows.

  Args:
    rows: of the JSON of `benchmark scaling`.

  Raises:
    ValueError: a row is none of them.
  """
  found: dict[str, Series] = {}
  for row in rows:
    name = _NAME.match(row["name"])
    law = row["note"].rpartition("law: ")[2]
    if row["unit"] != "ms":
      continue
    if name is None or law not in _POWERS:
      raise ValueError(f"{row['name']!r} is no row of benchmark scaling")
    kept = frame.Row(row["name"], "ms", tuple(row["values"]), row["note"])
    old = found.get(name[1], Series(name[1], law, (), []))
    found[name[1]] = old._replace(
      places=(*old.places, int(name[2])), rows=[*old.rows, kept]
    )
  return list(found.values())


def draw(found: Sequence[Series], path: pathlib.Path) -> None:
  """Draws every series beside its law, both as multiples of the first point.

  Args:
    found: the series; those of one law share a panel.
    path: PNG to write.
  """
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure

  laws = list(dict.fromkeys(series.law for series in found))
  columns = min(2, len(laws))
  lines = -(-len(laws) // columns)
  figure = Figure(figsize=(4.4 * columns, 3.5 * lines), layout="constrained")
  FigureCanvasAgg(figure)
  axes = figure.subplots(lines, columns, squeeze=False).ravel()
  for spare in axes[len(laws) :]:
    spare.set_axis_off()
  for law, ax in zip(laws, axes):
    mine = [series for series in found if series.law == law]
    for series, mark in zip(mine, _MARKS):
      _draw_series(ax, series, *mark)
    _draw_law(ax, max(mine, key=lambda s: s.places[-1] / s.places[0]))
    _finish(ax, law)
  path.parent.mkdir(parents=True, exist_ok=True)
  with replacing(path) as scratch:
    figure.savefig(scratch, format="png", dpi=120, metadata={"Software": None})


def _growth(series: Series) -> tuple[np.ndarray, np.ndarray]:
  """Returns sizes and times as multiples of the first; NaN where it failed."""
  rows = [row.as_json()["median"] for row in series.rows if row.unit == "ms"]
  times = np.array(rows, float)
  size = np.array(series.places, float) / series.places[0]
  return size, times / times[0]


def _draw_series(
  ax: Any, series: Series, marker: str, colour: str, beside: tuple[int, int]
) -> None:
  """Draws one series, with its real sizes beside the points."""
  size, growth = _growth(series)
  ax.plot(size, growth, marker=marker, color=colour, label=series.name)
  for x, y, place in zip(size, growth, series.places):
    if np.isfinite(y):
      ax.annotate(
        str(place), (x, y), xytext=beside, textcoords="offset points",
        fontsize=7, color=colour, ha="left" if beside[0] > 0 else "right",
      )  # fmt: skip


def _draw_law(ax: Any, series: Series) -> None:
  """Draws what is expected, over the sizes of a series."""
  size, growth = _growth(series)
  power = _POWERS[series.law]
  expected = size ** (power or 0)
  if power is None and len(size) > 1:
    expected = 1 + (growth[1] - 1) / (size[1] - 1) * (size - 1)
  ax.plot(size, expected, "--", color="#555555", linewidth=1, label="expected")


def _finish(ax: Any, law: str) -> None:
  """Sets axes, titles and the key."""
  from matplotlib.ticker import LogLocator, NullLocator

  ax.set_title(_TITLES[law], fontsize=10)
  ax.set_xlabel("size, times the smallest (sizes at the points)", fontsize=8)
  ax.set_ylabel("time of a step, times the first", fontsize=8)
  if law in (SQUARE, PROPORTIONAL):
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
      axis.set_major_locator(LogLocator(base=2))
      axis.set_major_formatter("{x:g}")
      axis.set_minor_locator(NullLocator())
    ax.margins(0.14)
  else:
    ax.margins(0.09)
    ax.set_ylim(bottom=0)
  ax.tick_params(labelsize=8)
  ax.grid(alpha=0.3, linewidth=0.5)
  ax.legend(fontsize=7)
