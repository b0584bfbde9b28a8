"""Figures of one evaluation, written as PNG."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from chexjax.evaluation import LocalizationTable, ScoredImages, trained_name
from chexjax.evaluation.protocols import bootstrap, threshold_choice
from chexjax.evaluation.protocols.baselines import BLIND, image_blind
from chexjax.evaluation.protocols.ranking import Ranking, rank
from chexjax.report.figures import map_title
from chexjax.report.small_multiples import (
  File,
  save_png,
  set_title,
  small_multiples,
)
from chexjax.report.training_curves import training_figure, training_lines

__all__ = [
  "COLOURS",
  "iou_figure",
  "roc_figure",
  "roc_points",
  "style_of",
  "t_iou_figure",
  "threshold_figure",
  "training_figure",
  "training_lines",
]

# The palette of Okabe & Ito, which colour-blind readers can tell apart.
# Baselines are dashed; an untrained head's maps are dotted, in the colour of
# the trained head's.
COLOURS = {"sal": "#D55E00", "det": "#0072B2", "mix": "#009E73"}
_OTHER, _GREY = "#CC79A7", "#777777"


def style_of(name: str) -> dict[str, Any]:
  """Return the line style of a map or baseline, as matplotlib's keywords."""
  if name == BLIND:
    return {"color": _GREY, "linestyle": "--", "label": "image-blind box"}
  trained = trained_name(name)
  return {
    "color": COLOURS.get(trained, _OTHER),
    "linestyle": "-" if name == trained else ":",
    "label": map_title(name),
  }


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
  grid = np.linspace(0, 1, 101)
  once = np.ones((1, taken.patients.size), np.int32)
  figure, axes = small_multiples(len(images.names), 5, width=2.1, height=2.1)
  for k, (name, ax) in enumerate(zip(images.names, axes)):
    ax.plot([0, 1], [0, 1], color=_GREY, linewidth=0.6, linestyle=":")
    set_title(ax, name)
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    auc = results["auc"][name]
    if auc is None:
      ax.text(0.5, 0.4, "undefined", ha="center", fontsize=8)
      continue
    known = ~images.unknown[:, k]
    ranking = rank(images.labels[known, k], images.scores[known, k])
    places = taken.places(images.patient[known])
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
  save_png(figure, file)


def _lines(
  measures: dict[str, Any], protocol: str = "crossfit"
) -> dict[str, dict[str, Any]]:
  """Return name -> finding -> values, the image-blind box as the last name."""
  names = [n for n in measures if n not in ("whole_image", "centre_prior")]
  names.sort(key=lambda n: n == BLIND)
  return {name: dict(measures[name][protocol]) for name in names}


def iou_figure(file: File, measures: dict[str, Any]) -> None:
  """Draw histograms of the cross-fitted IoUs, per finding and map.

  Args:
    file: path or open binary file.
    measures: of `evaluation.measure_table`.
  """
  lines = _lines(measures)
  findings = list(next(iter(lines.values())))
  figure, axes = small_multiples(len(findings), 4)
  edges = np.linspace(0, 1, 21)
  for finding, ax in zip(findings, axes):
    set_title(ax, finding)
    for name, of in lines.items():
      if of[finding].iou is not None:
        values = np.mean(of[finding].iou, 0)
        share = np.histogram(values, edges)[0] / len(values)
        ax.stairs(share, edges, linewidth=1.3, **style_of(name))
    ax.set(xlim=(0, 1), xticks=[0, 0.5, 1])
  figure.supxlabel("IoU, cross-fitted threshold", fontsize=9)
  figure.supylabel("share of boxes", fontsize=9)
  save_png(figure, file, legend=axes[0])


def t_iou_figure(
  file: File,
  measures: dict[str, Any],
  *,
  counted: Collection[str] | None = None,
) -> None:
  """Draw T(IoU), the share of boxes with at least this IoU, over the IoU.

  Args:
    file: path or open binary file.
    measures: of `evaluation.measure_table`.
    counted: the findings that the mean is over; None for all.
  """
  lines = _lines(measures)
  findings = list(next(iter(lines.values())))
  inside = findings if counted is None else counted
  figure, axes = small_multiples(len(findings) + 1, 3, width=3)
  asked = np.linspace(0, 1, 101)
  for ax, finding in zip(axes, ["mean", *findings]):
    set_title(ax, finding)
    for name, of in lines.items():
      kept = [
        of[f].found_iou
        for f in findings
        if f == finding or (finding == "mean" and f in inside)
      ]
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
  save_png(figure, file, legend=axes[0])


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
  figure, axes = small_multiples(len(findings), 4)
  for finding, ax in zip(findings, axes):
    set_title(ax, finding)
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
    blind = image_blind(table.regions(rows=rows), table.patient[rows]).iou
    ax.axhline(blind.mean(0).max(), linewidth=1, **style_of(BLIND))
    ax.set_ylim(bottom=0)
  meaning = {rule.meaning for rule in table.maps.values()}
  figure.supxlabel(f"threshold ({', '.join(sorted(meaning))})", fontsize=9)
  figure.supylabel("mean IoU", fontsize=9)
  save_png(figure, file, legend=axes[0])
