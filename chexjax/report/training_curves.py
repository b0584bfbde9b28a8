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

# Panels of the training figure, and which values each of them shows.
_TRAINING: dict[str, Callable[[str], bool]] = {
  "loss": lambda key: "loss" in key,
  "AUC": lambda key: key in ("auc", "crop_auc"),
  "learning rate": lambda key: key in ("learning_rate", "lr"),
  "scores": lambda key: key in ("score_spread", "score_entropy"),
  "picked proposals": lambda key: (
    key in ("picked_small", "picked_middle", "picked_large")
  ),
  "box growth": lambda key: key == "box_growth",
  "IoU on validation boxes": lambda key: key.startswith("iou_"),
}


def training_lines(rows: Sequence[dict[str, Any]]) -> Panels:
  """Group the rows of `metrics.jsonl` by panel, stage and name.

  Args:
    rows: dicts with `stage`, `step` and values; None counts as absent.

  Returns:
    Panel -> stage -> name -> list of `(step, value)`. Panels, stages and names
    without a value are left out.
  """
  panels: Panels = {}
  for panel, holds in _TRAINING.items():
    for row in rows:
      for key, value in sorted(row.items()):
        if holds(key) and value is not None:
          lines = panels.setdefault(panel, {}).setdefault(row["stage"], {})
          lines.setdefault(key, []).append((row["step"], value))
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
    len(stages) * len(panels), len(stages), width=3
  )
  places = [(panel, stage) for panel in panels for stage in stages]
  for ax, (panel, stage) in zip(axes, places):
    if stage not in panels[panel]:
      ax.set_axis_off()
      continue
    set_title(ax, f"stage {stage}: {panel}")
    for key, points in panels[panel][stage].items():
      # A line through one point would be invisible.
      marker = "." if len(points) < 20 else None
      name = key.replace("_", " ")
      ax.plot(*zip(*points), linewidth=1.2, marker=marker, label=name)
    ax.legend(fontsize=7)
  figure.supxlabel("step", fontsize=9)
  save_png(figure, file)
