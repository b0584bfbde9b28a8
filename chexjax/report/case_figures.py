"""The report's figures of cases: films with maps and boxes."""

import io

import numpy as np

from chexjax import messages
from chexjax.evaluation.outputs.table_cells import main_map
from chexjax.report.cases import Cases
from chexjax.report.embedded import Figure, embed
from chexjax.report.figures import Case, example_grid
from chexjax.report.run import Run, predicted_boxes

_GROUP = "Best, median and worst cases"
CASES_SHOWN = ("best", "median", "worst")


def case_figures(run: Run, findings: list[str]) -> list[Figure]:
  """Draw the best, the median and the worst case of each finding.

  Args:
    run: the evaluation.
    findings: that have boxes.

  Returns:
    The figures; none without pictures. One that fails costs itself alone.
  """
  cases = run.cases
  if cases is None or not cases.images:
    return []
  table = run.record.table
  boxes = predicted_boxes(run)
  name = main_map(run.results)
  if name not in boxes:
    return []
  iou = table.regions().iou(np.nan_to_num(boxes[name])[:, None])[:, 0]
  found = []
  for finding in findings:
    rows = np.flatnonzero(table.finding == finding)
    rows = rows[[cases.rows[p]["image"] in cases.images for p in rows]]
    if not rows.size:
      continue
    order = rows[np.argsort(-iou[rows], kind="stable")]
    places = dict(zip(CASES_SHOWN, (0, len(order) // 2, len(order) - 1)))
    caption = f"{finding.replace('_', ' ')}: best, median and worst case"
    try:
      shown = [
        _case(run, cases, boxes, order[at], kind) for kind, at in places.items()
      ]
      found.append(embed(_jpeg_grid(shown), caption, group=_GROUP))
    except Exception as error:  # Of any kind, as a damaged cases.zip.
      messages.warn(f"warning: the figure {caption!r} is not drawn: {error}")
  return found


def _jpeg_grid(shown: list[Case]) -> bytes:
  from PIL import Image

  out, small = io.BytesIO(), io.BytesIO()
  example_grid(out, shown, dpi=90)
  picture = Image.open(out).convert("RGB")
  picture.save(small, "JPEG", quality=80, optimize=True)
  return small.getvalue()


def _case(
  run: Run, cases: Cases, boxes: dict[str, np.ndarray], row: int, kind: str
) -> Case:
  """Return a row of the table as a `Case`, in pixels of the stored film."""
  table = run.record.table
  stored = cases.rows[row]
  film = cases.pixels(cases.images[stored["image"]])
  scale = np.array([film.shape[1] / table.frame[1]] * 4)
  scale[1::2] = film.shape[0] / table.frame[0]
  maps = {
    n: m["low"] + cases.pixels(m["file"]) / 255 * (m["high"] - m["low"])
    for n, m in ((n, stored["maps"].get(n)) for n in boxes)
    if m
  }
  return Case(
    image=film,
    maps=maps or {n: np.zeros((2, 2)) for n in boxes},
    predicted={
      n: b[row] * scale for n, b in boxes.items() if np.isfinite(b[row]).all()
    },
    true=table.regions().of(row) * scale,
    title=f"{kind}: {table.image[row]}",
  )
