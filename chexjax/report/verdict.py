"""The verdict on an evaluation in words, from the intervals of its results."""

from collections.abc import Mapping, Sequence
from typing import Any

from chexjax.evaluation.outputs.judged_findings import (
  over_blind_box,
  over_untrained,
)
from chexjax.evaluation.outputs.notes import boxes_seen
from chexjax.evaluation.outputs.table_cells import (
  Results,
  cell_text,
  main_map,
  map_label,
  plain,
  value_at,
)

_NO_INTERVAL = "No intervals were drawn, so nothing is said about chance."


def verdict(results: Results) -> list[str]:
  """Return the verdict on one evaluation.

  Findings of too few patients are not judged, as in the means.

  Args:
    results: tree of `evaluation.assemble`.

  Returns:
    Whether boxes were trained on; of how many findings the AUC is above chance;
    on how many the main map's boxes beat a constant box, and those of untrained
    heads. Each sentence names the findings that it does not hold for. Where no
    finding has enough patients, that alone.
  """
  name = main_map(results)
  few = results.get("few_patients") or {}
  means = (("auc",), ("localization", name, "crossfit", "iou"))
  if (few.get("auc") or few.get("localization")) and all(
    value_at(results, *path, "mean") is None for path in means
  ):
    return [
      *boxes_seen(results),
      "Too few test patients to judge anything: no finding has "
      f"{few['least']} of them.",
    ]
  label = map_label(name)
  lines = [*boxes_seen(results), *_above_chance(results)]
  for start, of in (
    (
      f"Boxes of {label} beat a constant box that never sees the film",
      over_blind_box(results, name),
    ),
    (
      f"Boxes of {label} beat those of untrained heads",
      over_untrained(results, name),
    ),
  ):
    if of:
      line = f"{start} on {len(of.won)} of {of.judged} findings"
      line += _listed("; worse on", of.worse)
      lines.append(line + _listed("; no clear difference on", of.even) + ".")
  return lines


def _above_chance(results: Results) -> list[str]:
  few = value_at(results, "few_patients", "auc") or {}
  spans = {
    name: span
    for name, span in results.get("auc_interval", {}).items()
    if span and name not in (*few, "mean")
  }
  if not spans:
    return [_NO_INTERVAL] if results["auc"]["mean"] is not None else []
  below = [name for name, span in spans.items() if span[0] <= 0.5]
  line = (
    f"Finds {len(spans) - len(below)} of {len(spans)} findings clearly above "
    "chance"
  )
  return [line + _listed("; not", below) + "."]


def _listed(start: str, names: Sequence[str]) -> str:
  return f"{start} {', '.join(map(plain, names))}" if names else ""


def comparison_verdict(
  tree: Mapping[str, Any], name: str, labels: Sequence[str]
) -> list[str]:
  """Return the verdict on two evaluations of the same films.

  Args:
    tree: of `comparison.compare`.
    name: of the map whose boxes are compared.
    labels: of the first and the second.

  Returns:
    A sentence on the mean AUC, and on the cross-fitted mean IoU.
  """
  lines = []
  for what, path in (
    ("mean AUC", ("auc", "mean")),
    (
      f"cross-fitted mean IoU of {map_label(name)}",
      ("localization", name, "crossfit", "iou", "mean"),
    ),
  ):
    of = value_at(tree, *path)
    if not of or of["difference"] is None:
      continue
    change = f"{of['difference']:+.3f}"
    if of["interval"]:
      change += f", 95 % interval {cell_text(tuple(of['interval']))}"
    if not of["apart"]:
      lines.append(f"No clear difference in {what} ({change}).")
      continue
    place = "above" if of["difference"] > 0 else "below"
    lines.append(f"{labels[1]} is {place} {labels[0]} in {what} ({change}).")
  return lines


def side_by_side_verdict(
  tree: Mapping[str, Any], titles: Mapping[str, str], maps: Mapping[str, str]
) -> list[str]:
  """Return the verdict on several systems.

  Args:
    tree: of `side_by_side`.
    titles: system -> its name as people write it.
    maps: system -> the map that its boxes are cut from.

  Returns:
    A sentence each on the mean AUC and the cross-fitted mean IoU: which system
    has the highest, and which are clearly above or below the reference.
  """
  reference = tree["reference"]
  lines = []
  for what, places in (
    ("mean AUC", dict.fromkeys(titles, ("auc", "mean"))),
    (
      "cross-fitted mean IoU",
      {n: ("localization", maps[n], "crossfit", "iou", "mean") for n in titles},
    ),
  ):
    values, sides = {}, dict[str, list[str]](above=[], below=[], even=[])
    for name, of in tree["systems"].items():
      values[name] = value_at(of, *places[name], "value")
      gain = value_at(of, "against", *places[name])
      if name == reference or not gain or gain["difference"] is None:
        continue
      side = "above" if gain["difference"] > 0 else "below"
      sides[side if gain["apart"] else "even"].append(titles[name])
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
      continue
    best = max(known, key=lambda name: known[name])
    line = f"Highest {what}: {titles[best]}, {known[best]:.3f}."
    for place in ("above", "below"):
      # Titles have commas of their own.
      listed = "; ".join(sides[place]) or "none"
      line += f" Clearly {place} {titles[reference]}: {listed}."
    if sides["even"]:
      line += f" No clear difference: {'; '.join(sides['even'])}."
    lines.append(line)
  return lines
