"""Pictures of scored cases: input, maps, predicted and true boxes."""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chexjax import evaluation
from chexjax.report.figures import Case, example_grid


def draw_examples(
  folder: pathlib.Path,
  table: evaluation.LocalizationTable,
  cases: Sequence[dict[str, Any]],
  *,
  findings: Sequence[str],
  film: Callable[[int], np.ndarray],
  per_finding: int,
) -> int:
  """Draw some boxed cases of each finding, from the best IoU to the worst.

  The IoU is that of the last map (Mix, or Sal after stage 1). Boxes are those
  of cross-fitted thresholds, so a finding whose boxes are all of one patient
  has none. `grid.png` shows one case per finding: a quarter of its cases are
  better.

  Args:
    folder: must exist.
    table: boxes of every threshold.
    cases: for every row of the table its film's `index` and its `maps`.
    findings: to draw, in this order.
    film: returns the `[H, W, 1]` uint8 film of an index.
    per_finding: pictures of each finding.

  Returns:
    Number of pictures written, `grid.png` not counted.
  """
  measures = evaluation.measure_table(table, list(findings))
  names = evaluation.without_untrained(table.boxes)
  last = names[-1]
  chosen = {
    name: evaluation.chosen_boxes(table, measures, name, "crossfit")
    for name in names
  }
  ious = table.regions().iou(np.nan_to_num(chosen[last])[:, None])[:, 0]

  def case_of(row: int) -> Case:
    heat = cases[row]["maps"].items()
    boxes = {n: box[row] for n, box in chosen.items()}
    return Case(
      image=film(cases[row]["index"]),
      maps={n: m.astype(np.float32) for n, m in heat},
      predicted={n: b for n, b in boxes.items() if np.isfinite(b).all()},
      true=table.regions().of(row),
      title=f"{table.finding[row]}, {table.image[row]}",
    )

  finding_of = np.asarray(table.finding)
  best, count = [], 0
  for finding in findings:
    rows = np.flatnonzero(finding_of == finding)
    if not len(rows):
      continue
    order = rows[np.argsort(-ious[rows])]
    spread = np.linspace(0, len(order) - 1, min(per_finding, len(order)))
    for rank, place in enumerate(spread.round().astype(int)):
      case = case_of(order[place])
      example_grid(folder / f"{finding}_{rank + 1}.png", [case])
      count += 1
    best.append(case_of(order[len(order) // 4]))
  if best:
    example_grid(folder / "grid.png", best)
  return count
