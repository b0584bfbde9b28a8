"""Tables 1 to 3 of several systems, run here, and the published ones apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from chexjax.evaluation.outputs import published_systems
from chexjax.evaluation.outputs.published_systems import Published
from chexjax.evaluation.outputs.table_cells import (
  NAMES,
  Cell,
  Table,
  map_label,
  plain,
  value_at,
)
from chexjax.evaluation.protocols.side_by_side import PROTOCOLS, T_IOU, spread

_HERE = "run here"
_TAIL = ["95 % interval", "seeds", "minus reference", "95 % interval"]


def run_here_tables(
  tree: dict[str, Any], titles: Mapping[str, str]
) -> list[Table]:
  """Return Tables 1 to 3 of the systems that were run.

  Args:
    tree: of `side_by_side`.
    titles: system -> its name as people write it.

  Returns:
    The tables: AUC; IoU and cDice; T(IoU). In bold what is beyond chance.
  """
  return [
    _auc_table(tree, titles),
    _place_table(
      tree,
      titles,
      f"Table 2: localisation, IoU and cDice, {_HERE}",
      {"IoU": ("iou",), "cDice": ("cdice",)},
    ),
    _place_table(
      tree,
      titles,
      f"Table 3: localisation, T(IoU), {_HERE}",
      {f"T({t})": ("t_iou", str(t)) for t in T_IOU},
    ),
  ]


def _cells(
  of: Mapping[str, Any], against: Mapping[str, Any] | None, names: Sequence[str]
) -> tuple[list[Cell], set[int]]:
  """Return a row's figures, and which of them are apart from the reference."""
  cells: list[Cell] = [of[name]["value"] for name in names]
  bold: set[int] = set()
  mean = of["mean"]
  span = mean["interval"]
  seeds = spread(mean["seeds"])
  cells += [span and tuple(span), seeds or ""]
  if against is None:
    return [*cells, "", ""], bold
  gain = against["mean"]["interval"]
  bold |= {i for i, name in enumerate(names) if against[name]["apart"]}
  return [*cells, against["mean"]["difference"], gain and tuple(gain)], bold


def _table(
  title: str,
  header: list[str],
  rows: list[tuple[list[Cell], set[int]]],
  at: int,
) -> Table:
  apart = {
    (number, column + at)
    for number, (_, bold) in enumerate(rows)
    for column in bold
  }
  return Table(
    title, header, [cells for cells, _ in rows], apart=frozenset(apart)
  )


def _auc_table(tree: dict[str, Any], titles: Mapping[str, str]) -> Table:
  names = list(next(iter(tree["systems"].values()))["auc"])
  rows = []
  for system, of in tree["systems"].items():
    cells, bold = _cells(of["auc"], of["against"].get("auc"), names)
    rows.append(([titles[system], *cells], bold))
  header = ["system", *(plain(n) for n in names), *_TAIL]
  return _table(f"Table 1: AUC, {_HERE}", header, rows, 1)


def _place_table(
  tree: dict[str, Any],
  titles: Mapping[str, str],
  title: str,
  measures: Mapping[str, tuple[str, ...]],
) -> Table:
  rows: list[tuple[list[Cell], set[int]]] = []
  names: list[str] = []
  for label, path in measures.items():
    for protocol in PROTOCOLS[::-1]:
      if path == ("cdice",) and protocol != "crossfit":
        continue  # cDice has no threshold.
      start: list[Cell] = [label, protocol]
      for system, of in tree["systems"].items():
        for name, by_protocol in of.get("localization", {}).items():
          figures = value_at(by_protocol, protocol, *path)
          names = names or list(figures)
          at = ("localization", name, protocol, *path)
          cells, bold = _cells(figures, value_at(of["against"], *at), names)
          rows.append(([*start, titles[system], map_label(name), *cells], bold))
      for name, by_protocol in tree["baselines"].items():
        cells, _ = _cells(value_at(by_protocol, protocol, *path), None, names)
        # A box that never saw a film has no seed.
        cells[len(names) + 1] = ""
        rows.append(([*start, NAMES[name], "", *cells], set()))
  header = ["measure", "protocol", "system", "box from"]
  return _table(title, [*header, *map(plain, names), *_TAIL], rows, 4)


def published_tables() -> list[Table]:
  """Return what others have published on ChestX-ray14; nothing of it is ours.

  Returns:
    Tables of AUC, cDice and T(IoU), with the split, the boxes per case and the
    origin of thresholds.
  """
  hits = {f"T({t})": of for t, of in published_systems.T_IOU.items()}
  return [
    _published("Published: AUC", {"AUC": published_systems.AUC}),
    _published(
      "Published: cDice and T(IoU)", {"cDice": published_systems.CDICE, **hits}
    ),
  ]


def _published(title: str, groups: Mapping[str, Sequence[Published]]) -> Table:
  longest = max(
    (column for group in groups.values() for column in group),
    key=lambda column: len(column.figures),
  )
  names = list(longest.by_finding())
  rows: list[list[Cell]] = []
  for measure, columns in groups.items():
    for column in columns:
      figures = column.by_finding()
      rows.append(
        [measure, column.name, column.split, column.boxes, column.thresholds]
        + [figures.get(name) for name in names]
      )
  header = ["measure", "system", "tested on", "boxes per case", "thresholds"]
  return Table(
    title,
    [*header, *map(plain, names)],
    rows,
    foreign=frozenset(range(len(rows))),
  )


def published_notes() -> list[str]:
  """Return what is odd about published figures, a sentence each."""
  columns = [*published_systems.AUC, *published_systems.CDICE]
  columns += published_systems.T_IOU["0.3"]
  return [f"{of.name}: {of.note}." for of in columns if of.note]


def side_by_side_notes(
  tree: dict[str, Any], titles: Mapping[str, str], assumed: Mapping[str, str]
) -> list[str]:
  """Return what the figures mean, and what was assumed of the systems.

  Args:
    tree: of `side_by_side`.
    titles: system -> its name as people write it.
    assumed: system -> what its authors do not say; may be empty.

  Returns:
    The sentences.
  """
  reference = titles[tree["reference"]]
  counts = {titles[n]: of["seeds"] for n, of in tree["systems"].items()}
  lines = [
    "Every system has the same backbone, input, schedule of stage 1 and "
    "evaluator, unless its assumptions say otherwise; each figure is the mean "
    "over its seeds: "
    + ", ".join(f"{name} {count}" for name, count in counts.items())
    + ". `seeds`: the lowest and the highest.",
    f"Intervals: {tree['draws']} draws of patients with replacement, the same "
    f"for all; `minus reference`: paired, against {reference}, its Mix for "
    "boxes. In bold: beyond chance, two-sided, at most 0.05 after Holm's "
    "correction for the findings of a row.",
    "`crossfit`: thresholds chosen on other patients' boxes; `oracle`: on the "
    "very boxes that are scored. Untrained head: fresh heads on the trained "
    "backbone, the mean of four. Image-blind: one constant box per finding.",
    f"The means of localisation are over {len(tree['counted'])} findings with "
    "at least 10 patients.",
  ]
  return lines + [
    f"{titles[name]}: {text}" for name, text in assumed.items() if text
  ]
