"""The paper's Tables 1 to 3 and three more, as rows, from a results tree."""

from typing import Any, NamedTuple

from chexjax.evaluation import published as papers

NAMES = {
  "sal": "Sal",
  "det": "Det",
  "mix": "Mix",
  "image_blind": "image-blind box",
  "whole_image": "whole image",
  "centre_prior": "centre prior",
}
NOT_OURS = "not ours"
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
        [label, NAMES.get(name, name), plain(protocol)]
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
      rows.append([NAMES.get(name, name), plain(protocol), *cells])
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


def all_tables(results, published=False):
  """Make every table there is data for."""
  tables = [
    auc_table(results, published),
    overlap_table(results, published),
    t_iou_table(results, published),
    further_table(results),
    detection_table(results),
    subgroup_table(results),
  ]
  return [table for table in tables if table is not None]


def notes(results):
  """Say what the figures mean, one sentence or two each."""
  protocol = results["protocol"]
  fit, maps = protocol["crossfit"], protocol["maps"]

  def meaning(key):
    return "; ".join(f"{NAMES.get(n, n)}: {r[key]}" for n, r in maps.items())

  low, high = protocol["thresholds"][0], protocol["thresholds"][-1]
  if any(rule["threshold_means"] == "highest_score" for rule in maps.values()):
    lines = ["No threshold: the box that the model scores highest."]
  else:
    lines = [
      f"Thresholds ({low:.2f} to {high:.2f}) mean: "
      f"{meaning('threshold_means')}. `percentile` q keeps the highest 1 - q "
      "of a map's pixels, `absolute` q the pixels >= q.",
    ]
  lines += [
    "`oracle`: chosen per finding on the very boxes that are scored, as in "
    "the paper. `crossfit`: on other patients' boxes, "
    f"{fit['repeats']} x {fit['folds']} folds, seed {fit['seed']}. cDice has "
    "no threshold.",
  ]
  if any(rule["released_threshold_means"] for rule in maps.values()):
    lines.append(
      "`released split`, `released union`: the authors' rules and cDice "
      "scaling, thresholds as the oracle's; they mean: "
      f"{meaning('released_threshold_means')}."
    )
  if said := protocol.get("predicted"):
    lines.append(
      "`predicted`: crossfit, and 0 where the finding itself is not "
      f"predicted. Score thresholds: {said['score_thresholds']}."
    )
  component = plain(protocol["component"])
  if component != "given":
    lines.append(f"Box of the {component} component, corners connected.")
  lines += [
    "Image-blind: one constant box per finding, the image never seen. Centre "
    f"prior: {protocol['centre_prior']}.",
    "The mean is the plain mean over the findings that have a figure: "
    + ", ".join(
      f"{count} under {name}"
      for name, count in results["counts"]["localization_findings"].items()
    )
    + ".",
  ]
  if protocol.get("interval"):
    drawn = protocol["interval"]
    lines.append(f"Intervals: {drawn['draws']} draws of {drawn['of']}.")
  return lines + [
    f"Undefined: {u['where']}, {u['finding']}: {u['reason']}."
    for u in results["undefined"]
  ]
