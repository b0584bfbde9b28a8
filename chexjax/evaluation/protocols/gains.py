"""What a map gains over another one of the same model, with its interval.

A trained head's map is compared with an untrained head's, to show whether what
it does is learnt. The maps of the head are compared with the saliency, which
needs no head.
"""

from typing import TypedDict

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.measures.heat_maps import UNTRAINED
from chexjax.evaluation.protocols.bootstrap import Draws, Interval
from chexjax.evaluation.protocols.figure_trees import (
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

# A row and the reference that it is compared with.
PAIRS = (*UNTRAINED.items(), ("mix", "sal"), ("det", "sal"))
MEASURES = ("iou", "cdice")


class Gain(TypedDict):
  """Row minus reference, in the same draws."""

  difference: float | None
  interval: Interval


def beats(interval: Interval) -> bool | None:
  """Return whether a gain's interval lies above 0.

  Args:
    interval: `[low, high]`, or None.

  Returns:
    The answer; None without an interval.
  """
  return None if interval is None else interval[0] > 0


def gain_tree(
  measures: MeasuredRows, table: LocalizationTable, draws: Draws
) -> Tree:
  """Compute the gains of all pairs of which both maps are there.

  Args:
    measures: of `localization.measure_table`.
    table: its table.
    draws: of `bootstrap.draw_patients`.

  Returns:
    `<row>.<reference>.<protocol>.<iou|cdice>.<finding|mean>`, each a `Gain`,
    and `<row>.<reference>.beats`, whether the row beats the reference in the
    cross-fitted mean IoU.
  """
  pairs = [pair for pair in PAIRS if all(name in measures for name in pair)]
  kept = {
    name: {protocol: measures[name][protocol] for protocol in PROTOCOLS}
    for name in dict.fromkeys(name for pair in pairs for name in pair)
  }
  values = value_tree(kept, t_iou=())
  samples = {
    (of.name, of.protocol, *of.path): of.samples
    for of in sample_means(kept, table, draws, t_iou=())
  }
  tree: Tree = {}
  for row, reference in pairs:
    for protocol in PROTOCOLS:
      for measure in MEASURES:
        gains = _gains(values, samples, row, reference, (protocol, measure))
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
) -> dict[str, Gain]:
  """Return finding or `mean` -> gain, of one protocol and measure."""
  protocol, measure = at
  found = differences(
    values[reference][protocol][measure],
    values[row][protocol][measure],
    samples[reference, protocol, measure],
    samples[row, protocol, measure],
  )
  return {
    finding: {"difference": of["difference"], "interval": of["interval"]}
    for finding, of in found.items()
  }
