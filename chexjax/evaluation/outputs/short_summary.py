"""The results in the few lines that a command ends with."""

from chexjax.evaluation.measures.heat_maps import (
  untrained_name,
  without_untrained,
)
from chexjax.evaluation.outputs.table_cells import (
  Cell,
  Results,
  cell_text,
  map_label,
  plain,
  value_at,
)

BLIND = "image_blind"


def short_summary(results: Results) -> list[str]:
  """Return the main figures, each with its interval, and what is not shown.

  Args:
    results: tree of `results.json`.

  Returns:
    A heading; the mean AUC; the cross-fitted mean IoU of every map, beside
    that of its untrained head, and of the box that never saw the image; and
    what is not above chance.
  """
  counts = results["counts"]
  films = max(
    (counts["positives"][f] + counts["negatives"][f] for f in results["auc"]
     if f in counts["positives"]),
    default=0,
  )  # fmt: skip
  scored, boxed = counts_of_means(results)
  drawn = value_at(results, "protocol", "interval", "draws")
  lines = [
    f"{results['dataset']}, {films:,} test films; means over {scored} findings "
    f"(AUC), {boxed} (IoU)" + ("; 95 % intervals" if drawn else "")
  ]
  maps = without_untrained(results["protocol"]["maps"])
  names = {name: f"IoU of {map_label(name)}" for name in (*maps, BLIND)}
  width = max(map(len, ("AUC", *names.values())))
  lines.append(f"{'AUC':<{width}}  {_figure(results, 'auc')}")
  for name, label in names.items():
    line = f"{label:<{width}}  {_iou(results, name)}"
    control = untrained_name(name)
    if control in results["localization"]:
      line += f"   untrained head {_iou(results, control)}"
    lines.append(line.rstrip())
  return [*lines, _chance(results, maps)]


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
  """Say what is not above chance, and what was left out of the means."""
  spans = results.get("auc_interval")
  if spans is None:
    return "no intervals were drawn: nothing is said about chance"
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
  lines = []
  if any(counts_of_means(results)):
    lines.append(f"not above chance: {'; '.join(said) or 'nothing of these'}")
  left = [
    f"{len(few[where])} of the {of}"
    for where, of in (("auc", "AUC"), ("localization", "IoU"))
    if few[where]
  ]
  if left:
    lines.append(
      f"findings of fewer than {few['least']} patients, in no mean: "
      f"{', '.join(left)}"
    )
  return "; ".join(lines)


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
