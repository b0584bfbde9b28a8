"""Tables 1 to 3: those of the paper (Hermoza et al. 2020)."""

from collections.abc import Sequence
from typing import NamedTuple

from chexjax.evaluation.outputs import published as papers
from chexjax.evaluation.outputs.table_cells import (
  Cell,
  Results,
  Table,
  finding_label,
  interval_cell,
  mean_label,
  plain,
  row_label,
  value_at,
)

_PAPER_IOU = ("0.3", "0.5", "0.6")  # of the paper's Table 3


class _Measure(NamedTuple):
  """A measure of a table of localisation.

  Attributes:
    label: its name.
    path: its keys in the results.
    published: name, protocol and mean of published figures.
  """

  label: str
  path: tuple[str, ...]
  published: list[tuple[str, str, float]]


def auc_table(results: Results, *, published: bool = False) -> Table:
  """Return Table 1: AUC and average precision per finding, and their mean.

  Args:
    results: tree of `results_json.assemble`.
    published: add published figures, marked as not ours.

  Returns:
    The `Table`.
  """
  counts = results["counts"]
  rows: list[list[Cell]] = [
    [
      finding_label(results, name, where="auc"),
      results["auc"][name],
      interval_cell(results, "auc_interval", name),
      results["average_precision"][name],
      counts["positives"][name],
      counts["negatives"][name],
    ]
    for name in counts["positives"]
  ]
  rows.append(
    [
      f"mean over {counts['auc_findings']}",
      results["auc"]["mean"],
      interval_cell(results, "auc_interval", "mean"),
      results["average_precision"]["mean"],
      "",
      "",
    ]
  )
  for name, of in _sets(results).items():
    interval = interval_cell(of, "auc_interval", "mean")
    rows.append([f"mean, {name}", of["auc"]["mean"], interval, "", "", ""])
  ours = len(rows)
  if published:
    rows += [[name, auc, "", "", "", ""] for name, auc in papers.AUC.items()]
  header = ["finding", "AUC", "95 % interval", "AP", "positives", "negatives"]
  foreign = frozenset(range(ours, len(rows)))
  return Table("Table 1: classification", header, rows, foreign)


def _measure_rows(results: Results, measure: _Measure) -> list[list[Cell]]:
  """Return one row per map and protocol, the baselines last."""
  findings = list(results["counts"]["boxes"])
  rows: list[list[Cell]] = []
  for name, by_protocol in results["localization"].items():
    for protocol, of in by_protocol.items():
      figures = value_at(of, *measure.path)
      at = ("localization_interval", name, protocol, *measure.path, "mean")
      label = row_label(results, name, protocol, measure=measure.path[0])
      rows.append(
        [measure.label, label, plain(protocol)]
        + [figures[f] for f in (*findings, "mean")]
        + [interval_cell(results, *at)]
      )
      path = (name, protocol, *measure.path)
      rows += _set_rows(results, [measure.label, label, plain(protocol)], path)
  return rows


def _sets(results: Results) -> dict[str, Results]:
  """Return the figures of each of several joined sets; mostly there is one."""
  return results.get("subgroups", {}).get("set", {})


def _set_rows(
  results: Results, start: Sequence[str], path: tuple[str, ...]
) -> list[list[Cell]]:
  """Return a row for each joined set, of figures that subgroups have."""
  rows: list[list[Cell]] = []
  measure, label, protocol = start
  for name, of in _sets(results).items():
    tree = value_at(of, "localization", *path)
    if tree is None:
      continue
    at = ("localization_interval", *path, "mean")
    rows.append(
      [measure, f"{label}, {name}", protocol]
      + [tree.get(f) for f in (*results["counts"]["boxes"], "mean")]
      + [interval_cell(of, *at)]
    )
  return rows


def _localization_table(
  results: Results, title: str, measures: Sequence[_Measure], published: bool
) -> Table:
  counts = results["counts"]["boxes"]
  labels = [finding_label(results, f, where="localization") for f in counts]
  header = ["measure", "box from", "protocol", *labels]
  header += [mean_label(results), "95 % interval"]
  pairs = results["counts"].get("pairs", counts)
  rows: list[list[Cell]] = [
    ["n", "", "", *pairs.values(), sum(pairs.values()), ""]
  ]
  foreign: set[int] = set()
  for measure in measures:
    rows += _measure_rows(results, measure)
    if published:
      ours = len(rows)
      blank = [""] * len(counts)
      rows += [
        [measure.label, name, protocol, *blank, mean, ""]
        for name, protocol, mean in measure.published
      ]
      foreign |= set(range(ours, len(rows)))
  return Table(title, header, rows, frozenset(foreign))


def overlap_table(results: Results, *, published: bool = False) -> Table:
  """Return Table 2: IoU and cDice of every map and of the baselines.

  Args:
    results: tree of `results_json.assemble`.
    published: add published figures, marked as not ours.

  Returns:
    The `Table`.
  """
  theirs = papers.LOCALIZATION.items()
  measures = [
    _Measure(
      "IoU",
      ("iou",),
      [
        (name, of.protocol, of.iou) for name, of in theirs if of.iou is not None
      ],
    ),
    _Measure(
      "cDice",
      ("cdice",),
      [
        (name, of.protocol, of.cdice)
        for name, of in theirs
        if of.cdice is not None
      ],
    ),
  ]
  title = "Table 2: localisation, IoU and cDice"
  return _localization_table(results, title, measures, published)


def t_iou_table(results: Results, *, published: bool = False) -> Table:
  """Return Table 3: the share of boxes found at an IoU of 0.3, 0.5, 0.6.

  Args:
    results: tree of `results_json.assemble`.
    published: add published figures, marked as not ours.

  Returns:
    The `Table`.
  """
  measures = [
    _Measure(
      f"T({t})",
      ("t_iou", t),
      [(name, of.protocol, of.found[i]) for name, of in papers.T_IOU.items()],
    )
    for i, t in enumerate(_PAPER_IOU)
  ]
  title = "Table 3: localisation, T(IoU)"
  return _localization_table(results, title, measures, published)
