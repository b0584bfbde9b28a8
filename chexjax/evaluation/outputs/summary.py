"""What the results show and do not show, in a few sentences."""

from collections.abc import Mapping
from typing import Any

from chexjax.evaluation.measures.heat_maps import without_untrained
from chexjax.evaluation.outputs.table_cells import (
  Results,
  cell_text,
  map_label,
  plain,
  value_at,
)


def summary(results: Results) -> list[str]:
  """Return the sentences at the head of the tables.

  Args:
    results: tree of `results_json.assemble`, without `summary`.

  Returns:
    Whether the mean AUC is above chance, which maps are not above the box that
    never saw the image, what has no scores, and which figures rest on few
    patients.
  """
  lines = [_auc_sentence(results)]
  lines += _map_sentences(results)
  lines += _score_sentences(results)
  return lines + _few_sentences(results)


def _span(pair: Any) -> str:
  return f" (95 % interval {cell_text(tuple(pair))})" if pair else ""


def _listed(names: Mapping[str, int]) -> str:
  return ", ".join(f"{plain(name)} ({n})" for name, n in names.items())


def _auc_sentence(results: Results) -> str:
  mean, count = results["auc"]["mean"], results["counts"]["auc_findings"]
  if mean is None:
    said = {
      u["finding"]: u["reason"]
      for u in results["undefined"]
      if u["where"] == "auc"
    }
    return f"There is no mean AUC: {said.get('mean', 'it is undefined')}."
  span = value_at(results, "auc_interval", "mean")
  noun = "finding" if count == 1 else "findings"
  line = f"The mean AUC over {count} {noun} is {mean:.3f}{_span(span)}"
  if span is None:
    return f"{line}; no interval was drawn."
  if span[0] > 0.5:
    return f"{line}: above chance."
  if span[1] < 0.5:
    return f"{line}: below chance."
  return f"{line}: not above chance, since the interval reaches 0.5."


def _map_sentences(results: Results) -> list[str]:
  """Name the maps whose cross-fitted IoU is not above the image-blind box."""
  blind = value_at(
    results, "localization", "image_blind", "crossfit", "iou", "mean"
  )
  lines = []
  over = results.get("over_blind", {})
  for name in without_untrained(over):
    gains = over[name]
    mean = results["localization"][name]["crossfit"]["iou"]["mean"]
    if gains["beats"] is None or mean is None or blind is None:
      continue
    told = (
      f"{map_label(name)}: the cross-fitted mean IoU is {mean:.3f}, that "
      f"of a box that never saw the image {blind:.3f}; the difference "
      f"{gains['mean']['difference']:+.3f}{_span(gains['mean']['interval'])}"
    )
    if not gains["beats"]:
      lines.append(
        f"{told} is not above 0, so nothing shows that it finds the place."
      )
  return lines


def _score_sentences(results: Results) -> list[str]:
  without: dict[str, list[str]] = {}
  for of in results["undefined"]:
    if of["where"] == "auc" and of["finding"] != "mean":
      without.setdefault(of["reason"], []).append(plain(of["finding"]))
  every = len(results["counts"]["positives"])
  return [
    f"No finding has an AUC: {reason}."
    if len(names) == every
    else f"Without an AUC, and not in its mean: {', '.join(names)} ({reason})."
    for reason, names in without.items()
  ]


def _few_sentences(results: Results) -> list[str]:
  few, lines = results["few_patients"], []
  for where, of, means in (
    ("auc", "a positive image", "AUC and average precision"),
    ("localization", "a true box", "the localisation"),
  ):
    if few[where]:
      lines.append(
        f"Fewer than {few['least']} patients have {of} of "
        f"{_listed(few[where])}: these figures of {means} are mostly chance, "
        "are marked and left out of the means."
      )
  if few["localization"] and all(
    count < few["least"] for count in results["counts"]["box_patients"].values()
  ):
    lines.append(
      "There is no mean of the localisation: no finding has "
      f"{few['least']} patients with a box."
    )
  return lines
