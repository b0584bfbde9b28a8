"""The results in the few lines that a command ends with."""

from chexjax.evaluation.measures.heat_maps import (
  untrained_name,
  without_untrained,
)
from chexjax.evaluation.outputs.judged_findings import (
  has_true_boxes,
  over_blind_box,
  over_untrained,
  why_no_mean,
)
from chexjax.evaluation.outputs.table_cells import (
  Cell,
  Results,
  cell_text,
  main_map,
  map_label,
  plain,
  value_at,
)

BLIND = "image_blind"
# More findings without an AUC are only counted.
MOST_NAMED = 3


def short_summary(results: Results) -> list[str]:
  """Return the main figures, each with its interval, and what is not shown.

  Args:
    results: tree of `results.json`.

  Returns:
    A heading; the mean AUC; the cross-fitted mean IoU of every map, beside
    that of its untrained head, and of the box that never saw the image; on how
    many findings the main map beats these two; what is not above chance; what
    is in no mean. Without a true box a sentence in place of all about boxes.
  """
  maps = without_untrained(results["protocol"]["maps"])
  rows = {"AUC": _mean_or_why(results, "auc")}
  boxed = has_true_boxes(results)
  if boxed and not counts_of_means(results)[1]:
    rows["IoU"] = _mean_or_why(results, "localization")
  elif boxed:
    for name in (*maps, BLIND):
      rows[f"IoU of {map_label(name)}"] = _with_control(results, name)
  width = max(map(len, rows))
  lines = [
    _heading(results),
    *(f"{label:<{width}}  {figure}" for label, figure in rows.items()),
    "" if boxed else "no test film has a true box: places are not scored",
    _beaten(results),
    _chance(results, maps),
    _left_out(results),
  ]
  return [line for line in lines if line]


def _heading(results: Results) -> str:
  """Return whose films they are, how many, and over what the means are."""
  counts = results["counts"]
  films = max(
    (counts["positives"][f] + counts["negatives"][f] for f in results["auc"]
     if f in counts["positives"]),
    default=0,
  )  # fmt: skip
  line = f"{results['dataset']}, {films:,} test films"
  scored, boxed = counts_of_means(results)
  if not scored and not boxed:
    return line
  line += f"; means over {scored} findings (AUC)"
  if has_true_boxes(results):
    line += f", {boxed} (IoU)"
  drawn = value_at(results, "protocol", "interval", "draws")
  return line + ("; 95 % intervals" if drawn else "")


def _mean_or_why(results: Results, where: str) -> str:
  """Return the mean AUC, or why there is none, or no mean of the IoU."""
  if where == "auc" and results["auc"]["mean"] is not None:
    return _figure(results, "auc")
  return f"no mean: {why_no_mean(results, where)}"


def _with_control(results: Results, name: str) -> str:
  """Return a map's mean IoU, beside that of its untrained head if it has one.

  Args:
    results: tree of `results.json`.
    name: of the map.
  """
  control = untrained_name(name)
  if control not in results["localization"]:
    return _iou(results, name)
  return f"{_iou(results, name)}   untrained head {_iou(results, control)}"


def _beaten(results: Results) -> str:
  """Say on how many findings the main map beats its controls, if known."""
  name = main_map(results)
  said = [
    f"{control} on {len(of.won)} of {of.judged} findings"
    for control, of in (
      ("the image-blind box", over_blind_box(results, name)),
      ("its untrained head", over_untrained(results, name)),
    )
    if of
  ]
  return f"{map_label(name)} beats {', '.join(said)}" if said else ""


def _figure(results: Results, *path: str) -> str:
  """Return a mean with its interval, or why there is none."""
  first, *rest = path
  mean: Cell = value_at(results, *path, "mean")
  if mean is None:
    return "no mean"
  pair = value_at(results, f"{first}_interval", *rest, "mean")
  return cell_text(mean) + (f" ({cell_text(tuple(pair))})" if pair else "")


def _iou(results: Results, name: str) -> str:
  return _figure(results, "localization", name, "crossfit", "iou")


def _chance(results: Results, maps: list[str]) -> str:
  """Say what is not above chance."""
  spans = results.get("auc_interval")
  if spans is None:
    return "no intervals were drawn: nothing is said about chance"
  if not any(counts_of_means(results)):
    return ""
  few = results["few_patients"]
  # Not even a chance level is known of these.
  weak = [
    plain(name)
    for name, span in spans.items()
    if name != "mean" and name not in few["auc"] and span and span[0] <= 0.5
  ]
  said = [f"AUC of {', '.join(weak)}"] if weak else []
  against = {
    BLIND: [m for m in maps if _beats(results, "over_blind", m) is False],
    "untrained": [
      m for m in maps if _beats(results, "gains", m, untrained_name(m)) is False
    ],
  }
  for control, text in (
    (BLIND, "over the image-blind box"),
    ("untrained", "over its untrained head"),
  ):
    if against[control]:
      said.append(
        f"IoU of {', '.join(map(map_label, against[control]))} {text}"
      )
  return f"not above chance: {'; '.join(said) or 'nothing of these'}"


def _left_out(results: Results) -> str:
  """Say which findings are in no mean, of few patients or without an AUC."""
  few, said = results["few_patients"], []
  left = [
    f"{len(few[where])} of the {of}"
    for where, of in (("auc", "AUC"), ("localization", "IoU"))
    if few[where]
  ]
  if left:
    said.append(
      f"findings of fewer than {few['least']} patients, in no mean: "
      f"{', '.join(left)}"
    )
  without = {
    of["finding"]: of["reason"]
    for of in results["undefined"]
    if of["where"] == "auc" and of["finding"] != "mean"
  }
  # Of all findings the line of the AUC says it.
  if without and len(without) < len(results["counts"]["positives"]):
    named = ", ".join(f"{plain(n)} ({why})" for n, why in without.items())
    several = f"{len(without)} findings"
    said.append(
      f"without an AUC: {named if len(without) <= MOST_NAMED else several}"
    )
  return "; ".join(said)


def counts_of_means(results: Results) -> tuple[int, int]:
  """Return over how many findings the mean AUC and the mean IoU are.

  Args:
    results: tree of `results.json`.
  """
  counts = results["counts"]
  return counts["auc_findings"], counts["localization_findings"]["crossfit"]


def _beats(results: Results, *path: str) -> bool | None:
  found: bool | None = value_at(results, *path, "beats")
  return found
