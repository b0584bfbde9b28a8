"""The figures of a run, drawn and embedded, in groups."""

import io
import json
import pathlib
from collections.abc import Callable
from typing import Any

from chexjax import messages
from chexjax.evaluation.protocols import patient_counts
from chexjax.report import curves, score_curves, training_curves
from chexjax.report.case_figures import case_figures
from chexjax.report.embedded import Figure, embed
from chexjax.report.run import Run


def draw_figures(run: Run, workdir: pathlib.Path) -> list[Figure]:
  """Draw all figures of a run.

  Args:
    run: the evaluation.
    workdir: its folder, which may hold `metrics.jsonl`.

  Returns:
    The figures, by group.
  """
  found = _score_figures(run) + _box_figures(run)
  log = workdir / "metrics.jsonl"
  if log.exists():
    rows = _rows(log)
    if rows:
      drawn = training_curves.training_figure
      found += _drawn("Training", training_caption(rows), drawn, rows)
  elif (workdir / "config.json").exists():
    messages.warn(f"note: {log} is not there: no figure of the training")
  return found


def _score_figures(run: Run) -> list[Figure]:
  """Draw ROC, precision over recall, and calibration."""
  given = run.record.images, run.results
  found = []
  for caption, draw in (
    (
      "ROC per finding, with the AUC; band: 95 % of draws of patients",
      score_curves.roc_figure,
    ),
    (
      "Precision over recall, with the average precision; band: 95 % of draws "
      "of patients; dotted: the share of positives",
      score_curves.pr_figure,
    ),
    (
      "Calibration: how often the finding is there where a probability is "
      "given, in ten bins of equally many films; bars: 95 % of draws of "
      "patients",
      score_curves.calibration_figure,
    ),
  ):
    found += _drawn("Classification", caption, draw, *given)
  return found


def _box_figures(run: Run) -> list[Figure]:
  """Draw the figures of the localisation, and of some cases."""
  counts, table = run.results["counts"], run.record.table
  findings = [f for f, n in counts["boxes"].items() if n]
  if not findings:
    return []
  some = {
    name: {p: {f: of[f] for f in findings} for p, of in by.items()}
    for name, by in run.measures.items()
  }
  counted = patient_counts.enough(counts["box_patients"])
  group = "Localisation"
  found = _drawn(
    group,
    "T(IoU): share of boxes found at each IoU that is asked for",
    curves.t_iou_figure,
    some,
    counted=counted,
  )
  caption = "How the IoUs are spread"
  found += _drawn(group, caption, curves.iou_figure, some)
  if len(table.thresholds) > 1:
    found += _drawn(
      group,
      "Mean IoU by threshold; the dot is the oracle's",
      curves.threshold_figure,
      table,
      findings,
      run.record.component,
    )
  return found + case_figures(run, findings)


def _rows(log: pathlib.Path) -> list[dict[str, Any]]:
  """Read `metrics.jsonl`; lines that break off are told and left out."""
  rows, broken = [], 0
  text = log.read_text(encoding="utf-8", errors="replace")
  for line in text.splitlines():
    try:
      rows.append(json.loads(line))
    except ValueError:
      broken += 1
  if broken:
    messages.warn(f"note: {broken} lines of {log} break off and are left out")
  return rows


def training_caption(rows: list[dict[str, Any]]) -> str:
  """Return the caption of the training figure.

  Args:
    rows: of `metrics.jsonl`.

  Returns:
    The caption; if the figure has no IoUs it says why.
  """
  panels = training_curves.training_lines(rows)
  lacks = training_curves.IOU_PANEL not in panels
  if training_curves.SCORE_PANEL in panels and lacks:
    return (
      "Training. The IoUs of the picked boxes are absent: the validation films "
      "have no boxes"
    )
  return "Training"


def _drawn(
  group: str,
  caption: str,
  function: Callable[..., None],
  *args: Any,
  **options: Any,
) -> list[Figure]:
  """Return what a function draws, under a caption.

  A picture that fails costs itself alone: then there is a warning and no entry.
  """
  out = io.BytesIO()
  try:
    function(out, *args, **options)
  except Exception as error:  # Of any kind: fonts, matplotlib, ...
    messages.warn(f"warning: the figure {caption!r} is not drawn: {error}")
    return []
  return [embed(out.getvalue(), caption, group=group)]
