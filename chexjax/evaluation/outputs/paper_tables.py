"""The paper's Tables 1 to 3 and four more, as rows, from a results tree."""

from typing import Any, NamedTuple

from chexjax.evaluation.measures.heat_maps import UNTRAINED
from chexjax.evaluation.outputs import published as papers
from chexjax.evaluation.protocols.gains import MEASURES, beats

NAMES = {
  "sal": "Sal",
  "det": "Det",
  "mix": "Mix",
  "det_untrained": "Det, untrained head",
  "mix_untrained": "Mix, untrained head",
  "image_blind": "image-blind box",
  "whole_image": "whole image",
  "centre_prior": "centre prior",
}
NOT_OURS = "not ours"
NO_BETTER = "no better than untrained"
_PAPER_IOU = ("0.3", "0.5", "0.6")  # of the paper's Table 3
_FURTHER = {
  "iou": "IoU",
  "iobb": "IoBB",
  "cdice": "cDice",
  "pointing": "pointing game",
  "max_box_acc_v2": "MaxBoxAccV2",
}


class Table(NamedTuple):
  """A table before it is written as Markdown or LaTeX.

  Attributes:
    title: heading.
    header: names of the columns.
    rows: cells: str, int, float, None (undefined), `(low, high)`.
    foreign: numbers of the rows with published figures, not ours.
  """

  title: str
  header: list[str]
  rows: list[list[Any]]
  foreign: frozenset = frozenset()


def plain(name):
  """Give a finding or group as people write it."""
  return name.replace("_", " ")


def _dig(tree, *path):
  for key in path:
    if not isinstance(tree, dict) or key not in tree:
      return None
    tree = tree[key]
  return tree


def _span(results, *path):
  """Give an interval as a cell; empty where none was drawn."""
  found = _dig(results, *path)
  return tuple(found) if found else ""


def row_label(results, name, protocol, measure="iou"):
  """Name a row; say so where it does not beat its untrained head."""
  path = (name, UNTRAINED.get(name), protocol, measure, "mean", "interval")
  worse = beats(_dig(results, "gains", *path)) is False
  return NAMES.get(name, name) + (f" ({NO_BETTER})" if worse else "")


def auc_table(results, published=False):
  """Make Table 1: AUC and average precision per finding, and their mean."""
  counts = results["counts"]
  rows = [
    [
      plain(name),
      results["auc"][name],
      _span(results, "auc_interval", name),
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
      _span(results, "auc_interval", "mean"),
      results["average_precision"]["mean"],
      "",
      "",
    ]
  )
  ours = len(rows)
  if published:
    rows += [[name, auc, "", "", "", ""] for name, auc in papers.AUC.items()]
  header = ["finding", "AUC", "95 % interval", "AP", "positives", "negatives"]
  return Table("Table 1: classification", header, rows, _after(ours, len(rows)))


def _after(ours, total):
  return frozenset(range(ours, total))


def _lines(results, label, path):
  """Give one row per map and protocol, the baselines last."""
  findings = list(results["counts"]["boxes"])
  lines = []
  for name, by_protocol in results["localization"].items():
    for protocol, of in by_protocol.items():
      figures = _dig(of, *path)
      span = _span(
        results, "localization_interval", name, protocol, *path, "mean"
      )
      lines.append(
        [label, row_label(results, name, protocol, path[0]), plain(protocol)]
        + [figures[f] for f in (*findings, "mean")]
        + [span]
      )
  return lines


def _located(results, title, measures, published):
  """Make a table of measures `(label, path, published rows)`."""
  counts = results["counts"]["boxes"]
  header = ["measure", "box from", "protocol", *map(plain, counts)]
  header += ["mean", "95 % interval"]
  rows = [["n", "", "", *counts.values(), sum(counts.values()), ""]]
  foreign = set()
  for label, path, theirs in measures:
    rows += _lines(results, label, path)
    if published:
      ours = len(rows)
      blank = [""] * len(counts)
      rows += [
        [label, name, protocol, *blank, mean, ""]
        for name, protocol, mean in theirs
      ]
      foreign |= _after(ours, len(rows))
  return Table(title, header, rows, frozenset(foreign))


def overlap_table(results, published=False):
  """Make Table 2: IoU and cDice of every map and of the baselines."""
  measures = [
    (
      label,
      (key,),
      [
        (name, of[0], of[1 + i])
        for name, of in papers.LOCALIZATION.items()
        if of[1 + i] is not None
      ],
    )
    for i, (key, label) in enumerate((("iou", "IoU"), ("cdice", "cDice")))
  ]
  title = "Table 2: localisation, IoU and cDice"
  return _located(results, title, measures, published)


def t_iou_table(results, published=False):
  """Make Table 3: the share of boxes found at an IoU of .3, .5, .6."""
  measures = [
    (
      f"T({t})",
      ("t_iou", t),
      [(name, of[0], of[1 + i]) for name, of in papers.T_IOU.items()],
    )
    for i, t in enumerate(_PAPER_IOU)
  ]
  title = "Table 3: localisation, T(IoU)"
  return _located(results, title, measures, published)


def further_table(results):
  """Make Table 4: means of all measures, over the findings."""
  rows = []
  for name, by_protocol in results["localization"].items():
    for protocol, of in by_protocol.items():
      cells = [of[key]["mean"] for key in _FURTHER]
      label = row_label(results, name, protocol)
      rows.append([label, plain(protocol), *cells])
  header = ["box from", "protocol", *_FURTHER.values()]
  return Table("Table 4: all measures, mean over findings", header, rows)


def detection_table(results):
  """Make Table 5: mAP and RoDeO; None without `detection`."""
  if not results.get("detection"):
    return None
  rows = []
  for name, by_protocol in results["detection"].items():
    for protocol, of in by_protocol.items():
      scores = [score["all"] for score in of["rodeo"].values()]
      means = [ap["mean"] for ap in of["map"].values()]
      rows.append([NAMES.get(name, name), protocol, *means, *scores])
  first = next(iter(next(iter(results["detection"].values())).values()))
  header = ["box from", "protocol", *(f"mAP at {t}" for t in first["map"])]
  header += ["RoDeO", *(f"RoDeO {name}" for name in list(first["rodeo"])[1:])]
  return Table("Table 5: detection, no finding given", header, rows)


def main_map(results):
  """Name the map that short tables show: the mix, else the first, if any."""
  maps = list(results["protocol"]["maps"])
  return "mix" if "mix" in maps else (maps or ["image_blind"])[0]


def subgroup_table(results):
  """Make Table 6: subgroups; None where the images are unknown."""
  if "subgroups" not in results:
    return None
  name = main_map(results)
  rows = []
  for kind, groups in results["subgroups"].items():
    for group, of in groups.items():
      path = ("localization", name, "crossfit")
      spans = ("localization_interval", name, "crossfit")
      rows.append(
        [
          plain(kind),
          group,
          of.get("images", ""),
          of["auc"]["mean"] if "auc" in of else "",
          _span(of, "auc_interval", "mean"),
          sum(of["boxes"].values()),
          _dig(of, *path, "iou", "mean"),
          _span(of, *spans, "iou", "mean"),
          _dig(of, "localization", "image_blind", "crossfit", "iou", "mean"),
        ]
      )
  header = ["group", "", "images", "AUC", "95 % interval", "boxes"]
  header += [f"IoU ({NAMES.get(name, name)}, crossfit)", "95 % interval"]
  return Table(
    "Table 6: subgroups, means over findings",
    [*header, "image-blind IoU"],
    rows,
  )


def gain_table(results):
  """Make Table 7: rows against their references; None without such pairs."""
  findings = list(results["counts"]["boxes"])
  said = {True: "yes", False: "no", None: None}
  rows = []
  for name, references in results.get("gains", {}).items():
    for reference, of in references.items():
      for key in MEASURES:
        gains = of["crossfit"][key]
        span = gains["mean"]["interval"]
        rows.append(
          [NAMES[name], NAMES[reference], _FURTHER[key]]
          + [gains[f]["difference"] for f in (*findings, "mean")]
          + [span and tuple(span), said[beats(span)]]
        )
  if not rows:
    return None
  header = ["row", "against", "measure", *map(plain, findings), "mean"]
  return Table(
    "Table 7: what the detection module adds, crossfit",
    [*header, "95 % interval", "beats it"],
    rows,
  )


def all_tables(results, published=False):
  """Make every table there is data for."""
  tables = [
    auc_table(results, published),
    overlap_table(results, published),
    t_iou_table(results, published),
    further_table(results),
    detection_table(results),
    subgroup_table(results),
    gain_table(results),
  ]
  return [table for table in tables if table is not None]
