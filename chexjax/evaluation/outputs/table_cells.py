"""A table as rows of cells, before it is written as Markdown or LaTeX."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chexjax.evaluation.measures.heat_maps import (
  trained_name,
  untrained_name,
)
from chexjax.evaluation.protocols.gains import beats

NAMES = {
  "sal": "Sal",
  "det": "Det",
  "mix": "Mix",
  "grad_cam": "Grad-CAM",
  "grad_cam_plus_plus": "Grad-CAM++",
  "image_blind": "image-blind box",
  "whole_image": "whole image",
  "centre_prior": "centre prior",
}
MEASURE_NAMES = {
  "iou": "IoU",
  "iobb": "IoBB",
  "cdice": "cDice",
  "pointing": "pointing game",
  "max_box_acc_v2": "MaxBoxAccV2",
}
NOT_OURS = "not ours"
NO_BETTER = "no better than untrained"

# The tree of `results.json`.
Results = dict[str, Any]
# Text, count, figure, undefined, or interval.
Cell = str | int | float | tuple[float, ...] | None


class Table(NamedTuple):
  """A table, its rows as cells.

  Attributes:
    title: heading.
    header: names of the columns.
    rows: cells: text, int, float, None (undefined), or `(low, high)`.
    foreign: numbers of the rows with published figures, not ours.
    apart: row and column of the cells in bold: differences beyond chance.
  """

  title: str
  header: list[str]
  rows: list[list[Cell]]
  foreign: frozenset[int] = frozenset()
  apart: frozenset[tuple[int, int]] = frozenset()


def cell_text(value: Cell) -> str:
  """Return a cell as text.

  Args:
    value: of the cell.

  Returns:
    Figures with three digits; `-` for None.
  """
  if value is None:
    return "-"
  if isinstance(value, tuple):
    return f"{value[0]:.3f} to {value[1]:.3f}"
  return f"{value:.3f}" if isinstance(value, float) else str(value)


def row_texts(table: Table, number: int) -> tuple[list[str], int | None]:
  """Return a row as text, and which cell names a figure that is not ours.

  Args:
    table: a table.
    number: of the row.

  Returns:
    The text of each cell; the column to be marked, or None.
  """
  name = 1 if table.header[0] == "measure" else 0
  texts = [cell_text(value) for value in table.rows[number]]
  return texts, name if number in table.foreign else None


def plain(name: str) -> str:
  """Return a finding or group as people write it.

  Args:
    name: with underscores.

  Returns:
    The name with spaces.
  """
  return name.replace("_", " ")


def map_label(name: str) -> str:
  """Return a map or baseline as people write it.

  Args:
    name: of a row.

  Returns:
    Its name, with a mark where its heads were never trained.
  """
  trained = trained_name(name)
  label = NAMES.get(trained, plain(trained))
  return label if trained == name else f"{label}, untrained head"


def finding_label(results: Results, name: str, *, where: str) -> str:
  """Return a finding as people write it, marked where few patients have it.

  Args:
    results: tree of `results_json.assemble`.
    name: of the finding.
    where: `auc` or `localization`, whose figures are meant.

  Returns:
    The name, with the number of patients if the mean leaves it out for them.
  """
  count = value_at(results, "few_patients", where, name)
  if count is None:
    return plain(name)
  return f"{plain(name)} ({count} patient{'s' * (count != 1)}, not in mean)"


def mean_label(results: Results) -> str:
  """Return the heading of a localisation's mean, with what it is over.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The heading.
  """
  return f"mean over {results['counts']['localization_findings']['oracle']}"


def value_at(tree: Any, *path: str) -> Any:
  """Return `tree[a][b]...`, or None where a key is missing.

  Args:
    tree: nested dicts.
    *path: the keys, outermost first.

  Returns:
    What is there.
  """
  for key in path:
    if not isinstance(tree, Mapping) or key not in tree:
      return None
    tree = tree[key]
  return tree


def interval_cell(tree: Any, *path: str) -> Cell:
  """Return an interval as a cell.

  Args:
    tree: nested dicts.
    *path: the keys of the interval, outermost first.

  Returns:
    `(low, high)`; empty text where no interval was drawn.
  """
  found = value_at(tree, *path)
  return tuple(found) if found else ""


def row_label(
  results: Results, name: str, protocol: str, *, measure: str = "iou"
) -> str:
  """Return the name of a row, with a mark if it does not beat its control.

  Args:
    results: tree of `results_json.assemble`.
    name: a map or baseline.
    protocol: who chose the threshold.
    measure: by which the row is compared with its untrained head's.

  Returns:
    The name as people write it.
  """
  label = map_label(name)
  control = untrained_name(name)
  path = ("gains", name, control, protocol, measure, "mean", "interval")
  worse = beats(value_at(results, *path)) is False
  return label + (f" ({NO_BETTER})" if worse else "")


def main_map(results: Results) -> str:
  """Return the map that short tables show.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The mix, else the first map; `image_blind` without maps.
  """
  maps = list(results["protocol"]["maps"])
  return "mix" if "mix" in maps else (maps or ["image_blind"])[0]
