"""What the figures mean, in sentences that stand under the tables."""

from typing import Any

from chexjax.evaluation.measures.heat_maps import without_untrained
from chexjax.evaluation.outputs.table_cells import (
  NO_BETTER,
  Results,
  map_label,
  plain,
  value_at,
)


def notes(results: Results) -> list[str]:
  """Return what the figures mean, one or two sentences each.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The sentences; what is undefined comes last.
  """
  lines = boxes_seen(results)
  lines += _threshold_notes(results["protocol"])
  lines += _row_notes(results)
  if count := results["provenance"].get("learned_films"):
    lines.insert(
      0,
      f"TOO GOOD: {count} of the films that are scored have the names of films "
      "that the model was trained or chosen on.",
    )
  if drawn := results["protocol"].get("interval"):
    lines.append(f"Intervals: {drawn['draws']} draws of {drawn['of']}.")
  return lines + [
    f"Undefined: {u['where']}, {u['finding']}: {u['reason']}."
    for u in results["undefined"]
  ]


def boxes_seen(results: Results) -> list[str]:
  """Return what the model was told of boxes in its training, as a sentence.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The sentence; nothing of a weakly supervised model.
  """
  seen = value_at(results, "provenance", "dataset", "boxes_in_training")
  if not seen:
    return []
  return [f"{seen[0].upper()}{seen[1:]}: not weakly supervised."]


def _threshold_notes(protocol: dict[str, Any]) -> list[str]:
  fit, maps = protocol["crossfit"], protocol["maps"]
  own = without_untrained(maps)

  def meaning(key: str) -> str:
    return "; ".join(f"{map_label(n)}: {maps[n][key]}" for n in own)

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
  return lines


def _row_notes(results: Results) -> list[str]:
  protocol = results["protocol"]
  component, maps = plain(protocol["component"]), protocol["maps"]
  lines = []
  if component != "given":
    lines.append(f"Box of the {component} component, corners connected.")
  if results.get("wang_rule"):
    lines.append(
      "Table 8: the rule of Wang et al. 2017. A map is scaled by its lowest "
      "and highest value and cut at 60 and at 180 of 255; every region is a "
      "box. "
      "Found: the share of pairs with a box above the overlap. False boxes: "
      "those that are not, per pair. Nothing is chosen."
    )
  if len(without_untrained(maps)) < len(maps):
    lines.append(
      "Untrained head: the same model with fresh, seeded heads that were never "
      f"trained, the mean of four. `{NO_BETTER}`: the interval "
      "of the row's gain over it is not above 0, so nothing shows that its "
      "head has learnt where."
    )
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
  return lines + _few_notes(results)


def _few_notes(results: Results) -> list[str]:
  least = results.get("few_patients", {}).get("least")
  lines = []
  if unknown := results["counts"].get("unknown_labels"):
    lines.append(
      "Labels that are unknown do not count: "
      + ", ".join(f"{n} of {plain(name)}" for name, n in unknown.items())
      + "."
    )
  if least is not None:
    lines.append(
      f"A finding of fewer than {least} patients (with a positive image, for "
      "the AUC; with a true box, for the localisation) is marked and left out "
      "of every mean."
    )
  if results.get("gains"):
    lines.append(
      "Bold: a difference beyond chance. Two-sided p-value of the draws, "
      "2 (1 + draws on the rarer side of 0) / (draws + 1), at most 0.05 after "
      "Holm's correction for the findings of the row; the mean is one "
      "comparison by itself."
    )
  return lines
