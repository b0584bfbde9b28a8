"""Pictures of scored cases: input, maps, predicted and true boxes."""

import errno
import functools
import io
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from chexjax import evaluation, messages
from chexjax.io import replacing
from chexjax.progress import Progress
from chexjax.report.figures import Case, example_grid
from chexjax.report.file_names import file_stems

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


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

  A picture that cannot be drawn or written is named in a warning and costs
  itself alone: the results are worth more than it.

  Args:
    folder: of the pictures; it is made if it is not there.
    table: boxes of every threshold.
    cases: for every row of the table its film's `index` and its `maps`.
    findings: to draw, in this order.
    film: returns the `[H, W, 1]` uint8 film of an index.
    per_finding: pictures of each finding.

  Returns:
    Number of pictures written, `grid.png` not counted.

  Raises:
    OSError: the disk is full.
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
    heat = cases[row]["maps"]
    boxes = {n: box[row] for n, box in chosen.items()}
    return Case(
      image=film(cases[row]["index"]),
      maps={n: heat[n].astype(np.float32) for n in names if n in heat},
      predicted={n: b for n, b in boxes.items() if np.isfinite(b).all()},
      true=table.regions().of(row),
      title=f"{table.finding[row]}, {table.image[row]}",
    )

  def cases_of(rows: Iterable[int]) -> list[Case]:
    return [case_of(row) for row in rows]

  finding_of = np.asarray(table.finding)
  stems = file_stems(findings)
  wanted, best = [], []
  for finding in findings:
    rows = np.flatnonzero(finding_of == finding)
    if not len(rows):
      continue
    order = rows[np.argsort(-ious[rows])]
    spread = np.linspace(0, len(order) - 1, min(per_finding, len(order)))
    for rank, place in enumerate(spread.round().astype(int)):
      path = folder / f"{stems[finding]}_{rank + 1}.png"
      wanted.append((path, order[place : place + 1]))
    best.append(order[len(order) // 4])
  count = 0
  with Progress("drawing example figures", total=len(wanted)) as progress:
    for path, some in wanted:
      count += _drawn(path, functools.partial(cases_of, some))
      progress.add()
  if best:
    _drawn(folder / "grid.png", functools.partial(cases_of, best))
  return count


def _drawn(path: pathlib.Path, cases: Callable[[], list[Case]]) -> bool:
  """Draw cases into a file; return whether that went well.

  Args:
    path: PNG to write.
    cases: reads what is drawn, which may fail too.

  Raises:
    OSError: the disk is full.
  """
  picture = io.BytesIO()
  try:
    example_grid(picture, cases())
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as scratch:
      scratch.write_bytes(picture.getvalue())
  except Exception as error:  # Of any kind: fonts, matplotlib, the film, ...
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
      raise
    messages.warn(f"warning: {path} is not drawn: {error}")
    return False
  return True
