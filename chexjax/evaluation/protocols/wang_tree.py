"""Figures under the rule of Wang et al.: found boxes, and false ones."""

from collections.abc import Sequence

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.measures.wang_rule import LEVELS
from chexjax.evaluation.protocols.figure_trees import (
  Counted,
  Tree,
  set_at,
  with_mean,
)


def wang_tree(
  table: LocalizationTable,
  findings: Sequence[str],
  *,
  counted: Counted = None,
) -> Tree:
  """Average what each map's boxes find under fixed cuts, which nobody chooses.

  `found` is the share of the finding's pairs of which a true box is found,
  `false_boxes` the mean number of false boxes on a pair. Wang et al. divide by
  all 984 of their boxes and leave some maps without boxes, by a rule that they
  do not state: their numbers of false boxes do not compare with these.

  Args:
    table: the scored maps.
    findings: names of the findings that are localised.
    counted: the findings that the means are over; None for all.

  Returns:
    `<map>.<iou|iobb>.<level>.<found|false_boxes>.<finding|mean>`.
  """
  tree: Tree = {}
  for name, by_measure in table.wang.items():
    for measure, of in by_measure.items():
      for number, level in enumerate(LEVELS[measure]):
        for key, figure in (("found", "found"), ("false", "false_boxes")):
          values = {
            finding: _mean(of[key][table.finding == finding, number])
            for finding in findings
          }
          path = (name, measure, str(level), figure)
          set_at(tree, path, with_mean(values, counted=counted))
  return tree


def _mean(values: np.ndarray) -> float | None:
  return float(values.mean()) if values.size else None
