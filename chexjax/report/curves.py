"""Figures of an evaluation's boxes, written as PNG."""

from collections.abc import Collection, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from chexjax.evaluation import LocalizationTable, trained_name
from chexjax.evaluation.protocols import threshold_choice
from chexjax.evaluation.protocols.baselines import BLIND, image_blind
from chexjax.report.figures import map_title
from chexjax.report.small_multiples import (
  File,
  save_png,
  set_title,
  small_multiples,
)

# The palette of Okabe & Ito, which colour-blind readers can tell apart; dashes
# tell the lines apart on grey paper too. An untrained head's maps are dotted,
# in the colour of the trained head's.
COLOURS = {"sal": "#D55E00", "det": "#0072B2", "mix": "#009E73"}
_DASHES: dict[str, tuple[Any, Any]] = {
  "sal": ((0, (2, 1.5)), (0, (1, 4))),
  "det": ((0, (6, 1.5, 1, 1.5)), (0, (1, 1))),
  "mix": ("-", (0, (1, 2.5))),
}
_MORE, _GREY = ("#CC79A7", "#E69F00", "#56B4E9", "#8C564B"), "#777777"


def style_of(name: str) -> dict[str, Any]:
  """Return the line style of a map or baseline, as matplotlib's keywords."""
  if name == BLIND:
    dashed = (0, (9, 3))
    return {"color": _GREY, "linestyle": dashed, "label": "image-blind box"}
  trained = trained_name(name)
  solid, dotted = _DASHES.get(trained, _DASHES["mix"])
  own = name == trained
  colour = COLOURS.get(trained) or _MORE[crc32(trained.encode()) % len(_MORE)]
  return {
    "color": colour,
    "linestyle": solid if own else dotted,
    "label": map_title(name),
  }


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
