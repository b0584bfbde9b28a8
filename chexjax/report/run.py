"""One evaluation to show, and the boxes that its pictures have."""

from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation import without_untrained
from chexjax.evaluation.collected.scored_model import ScoredModel
from chexjax.evaluation.protocols.chosen_boxes import chosen_boxes
from chexjax.report.cases import Cases


class Run(NamedTuple):
  """One evaluation to show.

  Attributes:
    label: its name on the page.
    results: tree of `evaluation.assemble`.
    record: scores, labels and boxes of every image.
    measures: of `evaluation.measure_table`.
    cases: its pictures, or None without any.
  """

  label: str
  results: dict[str, Any]
  record: ScoredModel
  measures: dict[str, Any]
  cases: Cases | None


def predicted_boxes(run: Run) -> dict[str, np.ndarray]:
  """Return the boxes of every trained map under cross-fitted thresholds.

  An untrained head's maps are left out: they have rows in tables, no pictures.

  Returns:
    Map -> `[P, 4]`, one box per row of the table; NaN without a box.
  """
  table, component = run.record.table, run.record.component
  return {
    name: chosen_boxes(
      table, run.measures, name, "crossfit", component=component
    )
    for name in without_untrained(table.boxes)
  }
