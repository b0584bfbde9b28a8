"""`tables.md`: the paper's Tables 1 to 3, from a `results.json` tree."""

from chexjax.evaluation import published as papers

NAMES = {
  "sal": "Sal",
  "det": "Det",
  "mix": "Mix",
  "image_blind": "image-blind box",
}
NOT_OURS = "**not ours** ·"


def _cell(value):
  if value is None:
    return "-"
  return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(header, rows):
  lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
  return "\n".join(
    "| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines
  )


def auc_table(results, published=False):
  """Write Table 1: AUC and average precision per finding, and their mean."""
  counts = results["counts"]
  rows = [
    [
      name.replace("_", " "),
      results["auc"][name],
      results["average_precision"][name],
      counts["positives"][name],
      counts["negatives"][name],
    ]
    for name in counts["positives"]
  ]
  mean = f"**mean** over {counts['auc_findings']}"
  ours = [mean, results["auc"]["mean"], results["average_precision"]["mean"]]
  rows.append([*ours, "", ""])
  if published:
    rows += [
      [f"{NOT_OURS} {name}", auc, "", "", ""]
      for name, auc in papers.AUC.items()
    ]
  return _table(["finding", "AUC", "AP", "positives", "negatives"], rows)


def _rows(results, label, pick):
  """Give one row per map and protocol, the image-blind rows always last."""
  findings = list(results["counts"]["boxes"])
  return [
    [label, NAMES.get(name, name), protocol]
    + [pick(of)[finding] for finding in (*findings, "mean")]
    for name, both in results["localization"].items()
    for protocol, of in both.items()
  ]


def _head(results):
  counts = results["counts"]
  header = ["measure", "box from", "threshold"]
  header += [name.replace("_", " ") for name in counts["boxes"]]
  total = sum(counts["boxes"].values())
  sizes = ["n", "", "", *counts["boxes"].values(), total]
  return [*header, "mean"], sizes


def _foreign(results, label, name, protocol, mean):
  blanks = [""] * len(results["counts"]["boxes"])
  return [label, f"{NOT_OURS} {name}", protocol, *blanks, mean]


def overlap_table(results, published=False):
  """Write Table 2: IoU and cDice of every map and of the image-blind box."""
  header, sizes = _head(results)
  rows = [sizes]
  for i, (key, label) in enumerate((("iou", "IoU"), ("cdice", "cDice"))):
    rows += _rows(results, label, lambda of, key=key: of[key])
    if published:
      rows += [
        _foreign(results, label, name, figures[0], figures[1 + i])
        for name, figures in papers.LOCALIZATION.items()
        if figures[1 + i] is not None
      ]
  return _table(header, rows)


def t_iou_table(results, published=False):
  """Write Table 3: the share of boxes found at an IoU of .3, .5, .6."""
  header, sizes = _head(results)
  rows = [sizes]
  for i, t in enumerate(
    next(iter(results["localization"].values()))["oracle"]["t_iou"]
  ):
    rows += _rows(results, f"T({t})", lambda of, t=t: of["t_iou"][t])
    if published and t in ("0.3", "0.5", "0.6"):
      rows += [
        _foreign(results, f"T({t})", name, figures[0], figures[1 + i])
        for name, figures in papers.T_IOU.items()
      ]
  return _table(header, rows)


def _notes(results):
  protocol = results["protocol"]
  fit = protocol["crossfit"]
  maps = "; ".join(
    f"{NAMES.get(name, name)}: {rule['threshold_means']}"
    for name, rule in protocol["maps"].items()
  )
  low, high = protocol["thresholds"][0], protocol["thresholds"][-1]
  return "\n".join(
    [
      f"- Thresholds ({low:.2f} to {high:.2f}) mean: {maps}. `percentile` q "
      "keeps the highest 1 - q of a map's pixels, `absolute` q the pixels "
      ">= q.",
      "- `oracle`: chosen per finding on the very boxes that are scored, as "
      f"in the paper. `crossfit`: on other patients' boxes, {fit['repeats']} x "
      f"{fit['folds']} folds, seed {fit['seed']}. cDice has no threshold.",
      f"- Box of the {protocol['component'].replace('_', ' ')} component, "
      "corners connected. Image-blind: one constant box per finding, the "
      "image never seen.",
      "- The mean is the plain mean over the findings that have a figure: "
      + ", ".join(
        f"{count} under {name}"
        for name, count in results["counts"]["localization_findings"].items()
      )
      + ".",
      *(
        f"- Undefined: {u['where']}, {u['finding']}: {u['reason']}."
        for u in results["undefined"]
      ),
    ]
  )


def markdown(results, *, published=False):
  """Write the three tables.

  Args:
    results: tree of `results.assemble`.
    published: add the published figures, marked as not ours. Only for the
      official ChestX-ray14 test set: with other data they do not compare.
  """
  return (
    "\n\n".join(
      [
        f"# Results on {results['dataset']}",
        f"{results['disclaimer']}",
        "## Table 1: classification",
        auc_table(results, published),
        "## Table 2: localisation, IoU and cDice",
        overlap_table(results, published),
        "## Table 3: localisation, T(IoU)",
        t_iou_table(results, published),
        "## What the figures mean",
        _notes(results),
      ]
    )
    + "\n"
  )
