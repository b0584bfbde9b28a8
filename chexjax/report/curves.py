"""Figures of one evaluation or of one training run, written as PNG."""

import os
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np

from chexjax.evaluation import LocalizationTable, ScoredImages, trained_name
from chexjax.evaluation.protocols import bootstrap, threshold_choice
from chexjax.evaluation.protocols.baselines import BLIND, image_blind
from chexjax.evaluation.protocols.ranking import Ranking, rank
from chexjax.report.figures import MAP_TITLES

File = str | os.PathLike[str] | IO[bytes]
Panels = dict[str, dict[int, dict[str, list[tuple[int, float]]]]]

# The palette of Okabe & Ito, which colour-blind readers can tell apart.
# Baselines are dashed; an untrained head's maps are dotted, in the colour of
# the trained head's.
COLOURS = {"sal": "#D55E00", "det": "#0072B2", "mix": "#009E73"}
_OTHER, _GREY = "#CC79A7", "#777777"
_DPI = 110


def style_of(name: str) -> dict[str, Any]:
  """Return the line style of a map or baseline, as matplotlib's keywords."""
  if name == BLIND:
    return {"color": _GREY, "linestyle": "--", "label": "image-blind box"}
  trained = trained_name(name)
  return {
    "color": COLOURS.get(trained, _OTHER),
    "linestyle": "-" if name == trained else ":",
    "label": MAP_TITLES.get(name, name),
  }


def _grid(
  number: int, columns: int, *, width: float = 2.5, height: float = 2.2
) -> tuple[Any, Any]:
  """Make a figure of small multiples; return it and its `[number]` axes.

  Widths and heights are inches of one of them.
  """
  from matplotlib.backends.backend_agg import FigureCanvasAgg
  from matplotlib.figure import Figure

  rows = -(-number // columns)
  size = (columns * width, rows * height + 0.5)
  figure = Figure(figsize=size, layout="constrained")
  FigureCanvasAgg(figure)
  axes = figure.subplots(rows, columns, squeeze=False).ravel()
  for spare in axes[number:]:
    spare.set_axis_off()
  return figure, axes[:number]


def _save(figure: Any, file: File, legend: Any = None) -> None:
  """Write a figure as PNG, with the legend of one of its axes."""
  if legend is not None:
    handles, labels = legend.get_legend_handles_labels()
    if handles:
      figure.legend(
        handles, labels, loc="outside upper center", ncols=4, fontsize=9
      )
  figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})


def _name(axes: Any, text: str) -> None:
  """Set the title of axes."""
  axes.set_title(text.replace("_", " "), fontsize=9, parse_math=False)
  axes.tick_params(labelsize=7)


def roc_points(
  ranking: Ranking, counts: np.ndarray, places: np.ndarray, grid: np.ndarray
) -> np.ndarray:
  """Compute the true positive rates of every draw of patients.

  Args:
    ranking: of the images by their score.
    counts: `[B, M]`, how often each of M patients is in each of B draws.
    places: `[N]`, column in `counts` of each image's patient.
    grid: `[G]` false positive rates, rising.

  Returns:
    `[B, G]`; NaN where a draw has no positive or no negative image.
  """
  result = np.full((len(counts), len(grid)), np.nan)
  for b, count in enumerate(counts):
    negative = np.concatenate([[0], np.cumsum(count[places[ranking.negative]])])
    positive = np.concatenate([[0], np.cumsum(count[places[ranking.positive]])])
    if not negative[-1] or not positive[-1]:
      continue
    false = 1 - negative[ranking.below] / negative[-1]
    true = 1 - positive[ranking.first] / positive[-1]
    result[b] = np.interp(
      grid,
      np.concatenate([[0], false[::-1], [1]]),
      np.concatenate([[0], true[::-1], [1]]),
    )
  return result


def roc_figure(
  file: File,
  images: ScoredImages,
  results: dict[str, Any],
  *,
  draws: int = 200,
  seed: int = 0,
) -> None:
  """Draw the ROC of every finding, with the middle 95 % of draws of patients.

  Args:
    file: path or open binary file.
    images: labels and scores.
    results: tree of `evaluation.assemble`; gives the AUCs.
    draws: number of draws.
    seed: of the draws.
  """
  taken = bootstrap.draw_patients(images.patient, draws=draws, seed=seed)
  places, grid = taken.places(images.patient), np.linspace(0, 1, 101)
  once = np.ones((1, taken.patients.size), np.int32)
  figure, axes = _grid(len(images.names), 5, width=2.1, height=2.1)
  for k, (name, ax) in enumerate(zip(images.names, axes)):
    ax.plot([0, 1], [0, 1], color=_GREY, linewidth=0.6, linestyle=":")
    _name(ax, name)
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    auc = results["auc"][name]
    if auc is None:
      ax.text(0.5, 0.4, "undefined", ha="center", fontsize=8)
      continue
    ranking = rank(images.labels[:, k], images.scores[:, k])
    band = roc_points(ranking, taken.counts, places, grid)
    low, high = np.nanquantile(band, [0.025, 0.975], axis=0)
    ax.fill_between(grid, low, high, color="#0072B2", alpha=0.25, linewidth=0)
    ax.plot(grid, roc_points(ranking, once, places, grid)[0], color="#0072B2")
    said = f"{auc:.3f}"
    span = results.get("auc_interval", {}).get(name)
    if span:
      said += f"\n{span[0]:.3f} to {span[1]:.3f}"
    ax.text(0.97, 0.05, said, ha="right", fontsize=7)
  figure.supxlabel("false positive rate", fontsize=9)
  figure.supylabel("true positive rate", fontsize=9)
  _save(figure, file)


def _lines(
  measures: dict[str, Any], protocol: str = "crossfit"
) -> dict[str, dict[str, Any]]:
  """Return name -> finding -> IoUs, the image-blind box as the last name."""
  names = [n for n in measures if n not in ("whole_image", "centre_prior")]
  names.sort(key=lambda n: n == BLIND)
  return {
    name: {f: m.iou for f, m in measures[name][protocol].items()}
    for name in names
  }


def iou_figure(file: File, measures: dict[str, Any]) -> None:
  """Draw histograms of the cross-fitted IoUs, per finding and map.

  Args:
    file: path or open binary file.
    measures: of `evaluation.measure_table`.
  """
  lines = _lines(measures)
  findings = list(next(iter(lines.values())))
  figure, axes = _grid(len(findings), 4)
  edges = np.linspace(0, 1, 21)
  for finding, ax in zip(findings, axes):
    _name(ax, finding)
    for name, of in lines.items():
      if of[finding] is not None:
        values = np.mean(of[finding], 0)
        share = np.histogram(values, edges)[0] / len(values)
        ax.stairs(share, edges, linewidth=1.3, **style_of(name))
    ax.set(xlim=(0, 1), xticks=[0, 0.5, 1])
  figure.supxlabel("IoU, cross-fitted threshold", fontsize=9)
  figure.supylabel("share of boxes", fontsize=9)
  _save(figure, file, axes[0])


def t_iou_figure(file: File, measures: dict[str, Any]) -> None:
  """Draw T(IoU), the share of boxes with at least this IoU, over the IoU.

  Args:
    file: path or open binary file.
    measures: of `evaluation.measure_table`.
  """
  lines = _lines(measures)
  findings = list(next(iter(lines.values())))
  figure, axes = _grid(len(findings) + 1, 3, width=3)
  asked = np.linspace(0, 1, 101)
  for ax, finding in zip(axes, ["mean", *findings]):
    _name(ax, finding)
    for name, of in lines.items():
      kept = [of[f] for f in findings if finding in ("mean", f)]
      curves = [
        (iou[..., None] >= asked).mean((0, 1))
        for iou in kept
        if iou is not None
      ]
      if curves:
        ax.plot(asked, np.mean(curves, 0), linewidth=1.4, **style_of(name))
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
  figure.supxlabel("IoU asked for", fontsize=9)
  figure.supylabel("share of boxes that have it (crossfit)", fontsize=9)
  _save(figure, file, axes[0])


def threshold_figure(
  file: File,
  table: LocalizationTable,
  findings: Sequence[str],
  component: str,
) -> None:
  """Draw the mean IoU of every threshold; a dot is the oracle's choice.

  Args:
    file: path or open binary file.
    table: boxes of every threshold.
    findings: to draw.
    component: rule of the figures, see `LocalizationTable`.
  """
  figure, axes = _grid(len(findings), 4)
  for finding, ax in zip(findings, axes):
    _name(ax, finding)
    rows = table.finding == finding
    if not rows.any():
      continue
    for name in table.boxes:
      mean = table.iou(name, component=component)[rows].mean(0)
      best = threshold_choice.choose(mean[None])
      ax.plot(table.thresholds, mean, linewidth=1.4, **style_of(name))
      ax.plot(
        table.thresholds[best], mean[best], "o", color=style_of(name)["color"]
      )
    blind = image_blind(table.true_box[rows], table.patient[rows]).iou
    ax.axhline(blind.mean(0).max(), linewidth=1, **style_of(BLIND))
    ax.set_ylim(bottom=0)
  meaning = {rule.meaning for rule in table.maps.values()}
  figure.supxlabel(f"threshold ({', '.join(sorted(meaning))})", fontsize=9)
  figure.supylabel("mean IoU", fontsize=9)
  _save(figure, file, axes[0])


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
  figure, axes = _grid(len(stages) * len(panels), len(stages), width=3)
  places = [(panel, stage) for panel in panels for stage in stages]
  for ax, (panel, stage) in zip(axes, places):
    if stage not in panels[panel]:
      ax.set_axis_off()
      continue
    _name(ax, f"stage {stage}: {panel}")
    for key, points in panels[panel][stage].items():
      # A line through one point would be invisible.
      marker = "." if len(points) < 20 else None
      name = key.replace("_", " ")
      ax.plot(*zip(*points), linewidth=1.2, marker=marker, label=name)
    ax.legend(fontsize=7)
  figure.supxlabel("step", fontsize=9)
  _save(figure, file)
