"""What a map gains over another one of the same model, with its interval.

A trained head's map is compared with an untrained head's, to show whether what
it does is learnt. The maps of the head are compared with the saliency, which
needs no head. And every map is compared with the box that never saw the image.
"""

from typing import TypedDict

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.measures.heat_maps import untrained_name
from chexjax.evaluation.protocols.baselines import BLIND
from chexjax.evaluation.protocols.bootstrap import Draws, Interval
from chexjax.evaluation.protocols.figure_trees import (
  Counted,
  Samples,
  Tree,
  differences,
  set_at,
)
from chexjax.evaluation.protocols.localization import (
  MeasuredRows,
  sample_means,
  value_tree,
)
from chexjax.evaluation.protocols.threshold_choice import PROTOCOLS

# A row and the reference that it is compared with, beside every map and its
# untrained control.
_PAIRS = (("mix", "sal"), ("det", "sal"))
MEASURES = ("iou", "cdice")


class Gain(TypedDict):
  """Row minus reference, in the same draws; see `figure_trees.Difference`."""

  difference: float | None
  interval: Interval
  p: float | None
  apart: bool | None


def beats(interval: Interval) -> bool | None:
  """Return whether a gain's interval lies above 0.

  Args:
    interval: `[low, high]`, or None.

  Returns:
    The answer; None without an interval.
  """
  return None if interval is None else interval[0] > 0


def gain_tree(
  measures: MeasuredRows,
  table: LocalizationTable,
  draws: Draws,
  *,
  counted: Counted = None,
) -> Tree:
  """Compute the gains of all pairs of which both maps are there.

  Args:
    measures: of `localization.measure_table`.
    table: its table.
    draws: of `bootstrap.draw_patients`.
    counted: the findings that the means are over; None for all.

  Returns:
    `<row>.<reference>.<protocol>.<iou|cdice>.<finding|mean>`, each a `Gain`,
    and `<row>.<reference>.beats`, whether the row beats the reference in the
    cross-fitted mean IoU.
  """
  controls = [(name, untrained_name(name)) for name in table.boxes]
  pairs = [
    pair
    for pair in (*controls, *_PAIRS)
    if all(name in measures for name in pair)
  ]
  kept = {
    name: {protocol: measures[name][protocol] for protocol in PROTOCOLS}
    for name in dict.fromkeys(name for pair in pairs for name in pair)
  }
  values = value_tree(kept, t_iou=(), counted=counted)
  samples = {
    (of.name, of.protocol, *of.path): of.samples
    for of in sample_means(kept, table, draws, t_iou=())
  }
  tree: Tree = {}
  for row, reference in pairs:
    for protocol in PROTOCOLS:
      for measure in MEASURES:
        at = (protocol, measure)
        gains = _gains(values, samples, row, reference, at, counted)
        set_at(tree, (row, reference, protocol, measure), gains)
    main = tree[row][reference]["crossfit"]["iou"]["mean"]
    tree[row][reference]["beats"] = beats(main["interval"])
  return tree


def _gains(
  values: Tree,
  samples: dict[tuple[str, ...], Samples],
  row: str,
  reference: str,
  at: tuple[str, str],
  counted: Counted,
) -> dict[str, Gain]:
  """Return finding or `mean` -> gain, of one protocol and measure."""
  protocol, measure = at
  found = differences(
    values[reference][protocol][measure],
    values[row][protocol][measure],
    samples[reference, protocol, measure],
    samples[row, protocol, measure],
    counted=counted,
  )
  return {
    finding: {
      "difference": of["difference"],
      "interval": of["interval"],
      "p": of["p"],
      "apart": of["apart"],
    }
    for finding, of in found.items()
  }


def over_blind(
  measures: MeasuredRows,
  table: LocalizationTable,
  draws: Draws,
  *,
  counted: Counted = None,
) -> Tree:
  """Compute what every map gains over the image-blind box.

  Args:
    measures: of `localization.measure_table`.
    table: its table.
    draws: of `bootstrap.draw_patients`.
    counted: the findings that the means are over; None for all.

  Returns:
    Map -> finding or `mean` -> the `Gain` in the cross-fitted IoU; and
    `<map>.beats`.
  """
  at = ("crossfit", "iou")
  kept = {
    name: {"crossfit": measures[name]["crossfit"]}
    for name in (*table.boxes, BLIND)
  }
  values = value_tree(kept, t_iou=(), counted=counted)
  samples = {
    (of.name, of.protocol, *of.path): of.samples
    for of in sample_means(kept, table, draws, t_iou=())
  }
  tree: Tree = {}
  for name in table.boxes:
    gains = _gains(values, samples, name, BLIND, at, counted)
    tree[name] = {**gains, "beats": beats(gains["mean"]["interval"])}
  return tree
