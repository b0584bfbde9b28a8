"""Figures of one evaluation or of one training run.

Every function takes what it draws and a path or an open binary file, and
writes a PNG.
"""

import numpy as np

from chexjax.evaluation import trained_name
from chexjax.evaluation.protocols import bootstrap, threshold_choice
from chexjax.evaluation.protocols.baselines import BLIND
from chexjax.report.figures import MAP_TITLES

# Okabe & Ito's palette, apart for colour-blind readers too; baselines dashed,
# an untrained head's maps dotted in the colour of the trained one's.
COLOURS = {"sal": "#D55E00", "det": "#0072B2", "mix": "#009E73"}
_OTHER, _GREY = "#CC79A7", "#777777"
_DPI = 110


def style_of(name):
  """Give a map's or baseline's line style."""
  if name == BLIND:
    return {"color": _GREY, "linestyle": "--", "label": "image-blind box"}
  trained = trained_name(name)
  return {
    "color": COLOURS.get(trained, _OTHER),
    "linestyle": "-" if name == trained else ":",
    "label": MAP_TITLES.get(name, name),
  }


def _grid(number, columns, *, width=2.5, height=2.2):
  """Make a figure of small multiples: figure and `[number]` axes."""
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


def _save(figure, file, legend=None):
  if legend is not None:
    handles, labels = legend.get_legend_handles_labels()
    if handles:
      figure.legend(
        handles, labels, loc="outside upper center", ncols=4, fontsize=9
      )
  figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})


def _name(axes, text):
  axes.set_title(text.replace("_", " "), fontsize=9, parse_math=False)
  axes.tick_params(labelsize=7)


def roc_points(ranking, counts, places, grid):
  """Give `[B, G]` true positive rates at false positive rates, per draw.

  Args:
    ranking: a `bootstrap.Ranking`.
    counts: `[B, M]` of `bootstrap.Draws`.
    places: `[N]` columns of the images' patients.
    grid: `[G]` false positive rates, rising.
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


def roc_figure(file, images, results, *, draws=200, seed=0):
  """Draw the ROC of every finding with the middle 95 % of draws of patients."""
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
    ranking = bootstrap.rank(images.labels[:, k], images.scores[:, k])
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


def _lines(measures, protocol="crossfit"):
  """Give the maps, and the image-blind box last: name -> finding -> IoU."""
  names = [n for n in measures if n not in ("whole_image", "centre_prior")]
  names.sort(key=lambda n: n == BLIND)
  return {
    name: {f: m.iou for f, m in measures[name][protocol].items()}
    for name in names
  }


def iou_figure(file, measures):
  """Draw how the cross-fitted IoUs are spread, per finding and map."""
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


def t_iou_figure(file, measures):
  """Draw T(IoU), the share of boxes found, over the IoU asked for."""
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


def threshold_figure(file, table, findings, component):
  """Draw the mean IoU of every threshold; a dot is the oracle's choice."""
  figure, axes = _grid(len(findings), 4)
  for finding, ax in zip(findings, axes):
    _name(ax, finding)
    rows = table.finding == finding
    if not rows.any():
      continue
    for name in table.boxes:
      mean = table.iou(name, component)[rows].mean(0)
      best = threshold_choice.choose(mean[None])
      ax.plot(table.thresholds, mean, linewidth=1.4, **style_of(name))
      ax.plot(
        table.thresholds[best], mean[best], "o", color=style_of(name)["color"]
      )
    blind, _ = threshold_choice.constant_boxes(table.true_box[rows])
    ax.axhline(blind.mean(0).max(), linewidth=1, **style_of(BLIND))
    ax.set_ylim(bottom=0)
  meaning = {rule.meaning for rule in table.maps.values()}
  figure.supxlabel(f"threshold ({', '.join(sorted(meaning))})", fontsize=9)
  figure.supylabel("mean IoU", fontsize=9)
  _save(figure, file, axes[0])


# The panels of the training figure, and which values each of them holds.
_TRAINING = {
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


def training_lines(rows):
  """Sort what `metrics.jsonl` holds: panel -> stage -> name -> points.

  Args:
    rows: dicts with `stage`, `step` and values; None counts as absent.

  Returns:
    Nested dicts down to lists of `(step, value)`; what has no value is not
    there, panels and stages included.
  """
  panels = {}
  for panel, holds in _TRAINING.items():
    for row in rows:
      for key, value in sorted(row.items()):
        if holds(key) and value is not None:
          lines = panels.setdefault(panel, {}).setdefault(row["stage"], {})
          lines.setdefault(key, []).append((row["step"], value))
  return panels


def training_figure(file, rows):
  """Draw the course of a training: a row per panel, a column per stage.

  Args:
    file: where to write.
    rows: as for `training_lines`.
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
      # A line of one point is not seen.
      marker = "." if len(points) < 20 else None
      name = key.replace("_", " ")
      ax.plot(*zip(*points), linewidth=1.2, marker=marker, label=name)
    ax.legend(fontsize=7)
  figure.supxlabel("step", fontsize=9)
  _save(figure, file)
