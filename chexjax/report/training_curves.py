"""Figures of one training run, from its `metrics.jsonl`."""

from collections.abc import Callable, Sequence
from typing import Any

from chexjax.report.small_multiples import (
  File,
  save_png,
  set_title,
  small_multiples,
)

Panels = dict[str, dict[int, dict[str, list[tuple[int, float]]]]]

_VALIDATED = " (validation)"
SCORE_PANEL = "scores" + _VALIDATED
IOU_PANEL = "IoU of boxes" + _VALIDATED
# Panels of the training figure, and which values each of them shows.
_TRAINING: dict[str, Callable[[str], bool]] = {
  "loss (training)": lambda key: "loss" in key,
  "AUC" + _VALIDATED: lambda key: key in ("auc", "crop_auc"),
  "learning rate": lambda key: key in ("learning_rate", "lr"),
  SCORE_PANEL: lambda key: key in ("score_spread", "score_entropy"),
  "picked proposals" + _VALIDATED: lambda key: (
    key in ("picked_small", "picked_middle", "picked_large")
  ),
  "box growth" + _VALIDATED: lambda key: key == "box_growth",
  IOU_PANEL: lambda key: key.startswith("iou_"),
}
_NAMES = {"auc": "whole films", "crop_auc": "crops"}
_MARKERS, _DASHES = "osD^vPX*", ("-", "--", "-.", ":")


def training_lines(rows: Sequence[dict[str, Any]]) -> Panels:
  """Group the rows of `metrics.jsonl` by panel, stage and name.

  Args:
    rows: dicts with `stage`, `step` and values; None counts as absent.

  Returns:
    Panel -> stage -> name -> list of `(step, value)`. Panels, stages and names
    without a value are left out, and so is a line that another one equals: the
    loss of one part is the whole where there is but one.
  """
  panels: Panels = {}
  for panel, holds in _TRAINING.items():
    for row in rows:
      for key, value in sorted(row.items()):
        if holds(key) and value is not None:
          lines = panels.setdefault(panel, {}).setdefault(row["stage"], {})
          lines.setdefault(key, []).append((row["step"], value))
  for stages in panels.values():
    for stage, lines in stages.items():
      kept: dict[str, list[tuple[int, float]]] = {}
      for key, points in lines.items():
        if points not in kept.values():
          kept[key] = points
      stages[stage] = kept
  return panels


def training_figure(file: File, rows: Sequence[dict[str, Any]]) -> None:
  """Draw the metrics of a training run: a row per panel, a column per stage.

  Args:
    file: path or open binary file.
    rows: see `training_lines`.
  """
  panels = training_lines(rows)
  stages = sorted({row["stage"] for row in rows})
  figure, axes = small_multiples(
    len(stages) * len(panels), len(stages), width=3.4
  )
  places = [(panel, stage) for panel in panels for stage in stages]
  for ax, (panel, stage) in zip(axes, places):
    if stage not in panels[panel]:
      ax.set_axis_off()
      continue
    set_title(ax, f"stage {stage}: {panel}")
    for number, (key, points) in enumerate(panels[panel][stage].items()):
      ax.plot(
        *zip(*points),
        linewidth=1.2,
        linestyle=_DASHES[number % len(_DASHES)],
        marker=_MARKERS[number % len(_MARKERS)],
        markersize=3.5,
        markevery=max(1, len(points) // 12),
        label=_NAMES.get(key, key.replace("_", " ")),
      )
    ax.legend(fontsize=7)
    ax.grid(alpha=0.25, linewidth=0.5)
  figure.supxlabel("step", fontsize=9)
  save_png(figure, file)
