"""What a map gains over another one of the same model, with its interval.

A trained head's map stands against an untrained head's: is what it does
learnt? Both heads' maps stand against the saliency, which needs no head.
"""

from chexjax.evaluation.measures.heat_maps import UNTRAINED
from chexjax.evaluation.protocols.figure_trees import (
  differences,
  put,
  value_tree,
)
from chexjax.evaluation.protocols.measurement import sample_means
from chexjax.evaluation.protocols.threshold_choice import PROTOCOLS

# A row and the reference that it is compared with.
PAIRS = (*UNTRAINED.items(), ("mix", "sal"), ("det", "sal"))
MEASURES = ("iou", "cdice")


def beats(interval):
  """Tell whether a gain's interval lies above 0; None without an interval."""
  return None if interval is None else interval[0] > 0


def gain_tree(measures, table, draws):
  """Give the gains of the pairs of which both maps are there.

  Args:
    measures: of `measuring.measure_table`.
    table: its `LocalizationTable`.
    draws: of `bootstrap.draw_patients`.

  Returns:
    `<row>.<reference>.<protocol>.<iou|cdice>.<finding|mean>`, each
    `{difference, interval}`, row minus reference in the same draws, and
    `<row>.<reference>.beats`: of the cross-fitted mean IoU.
  """
  pairs = [pair for pair in PAIRS if all(name in measures for name in pair)]
  kept = {
    name: {protocol: measures[name][protocol] for protocol in PROTOCOLS}
    for name in dict.fromkeys(name for pair in pairs for name in pair)
  }
  values = value_tree(kept, t_iou=())
  samples = {
    (name, protocol, *path): of
    for name, protocol, path, of in sample_means(kept, table, draws, t_iou=())
  }
  tree = {}
  for row, reference in pairs:
    for protocol in PROTOCOLS:
      for measure in MEASURES:
        sides = (reference, row)
        found = differences(
          *(values[name][protocol][measure] for name in sides),
          *(samples[name, protocol, measure] for name in sides),
        )
        gains = {
          finding: {key: of[key] for key in ("difference", "interval")}
          for finding, of in found.items()
        }
        put(tree, (row, reference, protocol, measure), gains)
    main = tree[row][reference]["crossfit"]["iou"]["mean"]
    tree[row][reference]["beats"] = beats(main["interval"])
  return tree
