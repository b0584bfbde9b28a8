"""Key figures of an evaluation, where they come from, and what terms mean."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from chexjax.evaluation.outputs.judged_findings import (
  has_true_boxes,
  why_no_mean,
)
from chexjax.evaluation.outputs.table_cells import (
  Cell,
  Results,
  cell_text,
  main_map,
  map_label,
  row_label,
  value_at,
)
from chexjax.report.run import Run
from chexjax.report.whose_films import film_count

# Options that say where files lie, and nothing of the figures.
_PLACES = ("workdir", "cache_dir", "init_dir")
_MAPS = {
  "Sal": "the classifier's saliency map",
  "Det": "the map of the detection head's regions",
  "Mix": "Sal and Det combined",
}
_IOU = (
  "IoU",
  "the area that two boxes share over the area that they cover together, 0 to "
  "1",
)
_BOX_TERMS = (
  (
    "crossfit",
    "the map is cut into a box at a threshold chosen on other patients",
  ),
  ("oracle", "at a threshold chosen on the very boxes: it flatters"),
  ("predicted", "crossfit, and 0 where the model does not call the finding"),
  (
    "image-blind box",
    "one constant box per finding; whoever looks at the film must beat it",
  ),
)


def _span(pair: Sequence[float] | None) -> str:
  """Return an interval in brackets, an empty text without one."""
  return f" ({cell_text(tuple(pair))})" if pair else ""


def _moment(stamp: str | None) -> str:
  """Return an ISO time in UTC, to the minute, as people write it."""
  return f"{stamp[:16].replace('T', ' ')} UTC" if stamp else "not recorded"


def summary(run: Run) -> list[tuple[str, str]]:
  """Return the key figures of a run, each with what it is over.

  Returns:
    Pairs of a name and a value, as text. A mean that is undefined says why;
    without a true box nothing is said of the IoU.
  """
  results = run.results
  auc, count = results["auc"]["mean"], results["counts"]["auc_findings"]
  span = value_at(results, "auc_interval", "mean")
  pairs = [
    ("Data", f"{results['dataset']}: {film_count(run)}"),
    ("Scored on", _moment(results["provenance"].get("date"))),
    ("Mean AUC", f"none: {why_no_mean(results, 'auc')}")
    if auc is None
    else (f"Mean AUC over {count} findings", cell_text(auc) + _span(span)),
  ]
  return [*pairs, *_iou_figures(results)] if has_true_boxes(results) else pairs


def _iou_figures(results: Results) -> list[tuple[str, str]]:
  """Return the mean IoUs of the main map and of the image-blind box."""
  name, counts = main_map(results), results["counts"]
  over = counts["localization_findings"]["oracle"]
  if not over:
    return [("Mean IoU", f"none: {why_no_mean(results, 'localization')}")]
  pairs = []
  for box, title, protocol in (
    *((name, row_label(results, name, p), p)
      for p in ("crossfit", "oracle", "predicted")),
    ("image_blind", map_label("image_blind"), "crossfit"),
  ):  # fmt: skip
    path = (box, protocol, "iou", "mean")
    mean = value_at(results, "localization", *path)
    if mean is not None:
      span = value_at(results, "localization_interval", *path)
      value = cell_text(mean) + _span(span)
      pairs.append((f"Mean IoU, {title}, {protocol}", value))
  boxes = sum(counts["boxes"].values())
  over_text = f"{over} findings, {boxes:,} boxes in all"
  return [*pairs, ("The mean IoU is over", over_text)]


def origin(run: Run) -> list[tuple[str, str]]:
  """Return where the figures of a run come from.

  Returns:
    Pairs of a name and a value, as text; the last is when the page was made.
  """
  came = run.results["provenance"]
  dataset = came.get("dataset", {})
  now = datetime.datetime.now(datetime.UTC).isoformat()
  version = value_at(came, "versions", "chexjax")
  return [
    ("Command", str(came.get("command", "not recorded"))),
    ("Revision", str(came.get("git_revision"))),
    ("chexjax", str(version or "not recorded")),
    ("Devices", ", ".join(came.get("devices", [])) or "not recorded"),
    ("Split hash", str(dataset.get("split_hash", "not recorded"))),
    ("Data_Entry", str(dataset.get("data_entry_version", "not recorded"))),
    ("This page was made on", _moment(now)),
  ]


def terms(runs: Sequence[Run]) -> list[tuple[str, str]]:
  """Return what the terms of the key figures mean, those that occur.

  Args:
    runs: of the page.
  """
  names = [n for run in runs for n in run.record.table.boxes]
  labels = dict.fromkeys(map_label(name) for name in names)
  drawn = value_at(runs[0].results, "protocol", "interval") or {}
  boxed = any(has_true_boxes(run.results) for run in runs)
  found = [
    (
      "AUC",
      "the chance that a film with the finding scores higher than one without "
      "it: 0.5 is guessing, 1 is perfect",
    ),
    *([_IOU] if boxed else ()),
    *((label, _MAPS[label]) for label in labels if label in _MAPS),
    *(_BOX_TERMS if boxed else ()),
  ]
  if boxed and any("untrained head" in label for label in labels):
    found.append(
      (
        "untrained head",
        "the same model with fresh heads: what training the heads must beat",
      )
    )
  if drawn:
    share = f"the middle {100 * drawn['share']:.0f} %"
    draws = f"of {drawn['draws']:,} draws of patients with replacement"
    found.append(("interval", f"{share} {draws}"))
  return found


def option_differences(runs: Sequence[Run]) -> list[list[Cell]]:
  """Return which options of two runs differ.

  Args:
    runs: two.

  Returns:
    Rows of the option's name and both values as text, `-` where a folder does
    not hold it; where files lie does not count. Empty if a folder holds no
    options.
  """
  trees = [run.results["provenance"].get("config") for run in runs]
  if not all(trees):
    return []
  first, second = (_flat(tree) for tree in trees)
  return [
    [key, first.get(key, "-"), second.get(key, "-")]
    for key in dict.fromkeys([*first, *second])
    if first.get(key) != second.get(key) and key not in _PLACES
  ]


def _flat(tree: Any, at: str = "") -> dict[str, str]:
  """Return nested options as `a.b` -> text."""
  if not isinstance(tree, Mapping):
    return {at: "none" if tree is None else str(tree)}
  return {
    key: value
    for name, inner in tree.items()
    for key, value in _flat(inner, f"{at}.{name}" if at else name).items()
  }
