"""What each run answers of a case, and its pictures, as JSON values."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.outputs.table_cells import Cell, plain
from chexjax.evaluation.protocols.wrong_calls import call_counts, score_cuts
from chexjax.report.cases import Cases
from chexjax.report.run import Run

_PLACES = 4  # digits of box edges, as shares of the image


class Pictures:
  """Numbered base64 pictures, each stored once.

  Attributes:
    data: the pictures, by number.
  """

  def __init__(self) -> None:
    """Start without a picture."""
    self.data: list[str] = []
    self._number: dict[tuple[int, str], int] = {}

  def add(self, cases: Cases | None, file: str | None) -> int | None:
    """Add a picture unless it is there; return its number.

    Args:
      cases: that hold the picture, or None.
      file: its name in `cases`, or None.

    Returns:
      The number; None if there is no picture.
    """
    if cases is None or file is None:
      return None
    key = (id(cases), file)
    if key not in self._number:
      self._number[key] = len(self.data)
      self.data.append(base64.b64encode(cases.read(file)).decode())
    return self._number[key]


def cuts_of(run: Run) -> dict[str, float]:
  """Return the score from which on each finding is called.

  Args:
    run: the evaluation.

  Returns:
    Finding -> score; empty without scores.
  """
  rule = run.results["protocol"].get("predicted") or {}
  return score_cuts(rule.get("thresholds") or {})


def call_rows(run: Run) -> list[list[Cell]]:
  """Return sensitivity and specificity of every finding at its cut.

  Args:
    run: the evaluation.

  Returns:
    Rows of finding, cut, sensitivity, found, positives, specificity, false
    alarms, negatives.
  """
  return [
    [
      plain(name),
      of.cut,
      of.found / of.positives if of.positives else None,
      of.found,
      of.positives,
      of.passed / of.negatives if of.negatives else None,
      of.negatives - of.passed,
      of.negatives,
    ]
    for name, of in call_counts(run.record.images, cuts_of(run)).items()
  ]


def answer(score: float, kind: str, maps: dict[str, Any]) -> dict[str, Any]:
  """Return what a run says of a pair, as a tree of JSON values.

  Args:
    score: of the finding; NaN for none.
    kind: how the call is, empty without a threshold.
    maps: name -> what is known of the map.
  """
  known = None if np.isnan(score) else round(float(score), 4)
  return {"score": known, "kind": kind, "maps": maps}


def map_picture(
  run: Run, stored: dict[str, Any], pictures: Pictures
) -> dict[str, Any]:
  """Return the picture of a map and the range that it is stretched from.

  Args:
    run: whose cases hold it.
    stored: `file`, `low` and `high`; may be empty.
    pictures: gets the picture.
  """
  return {
    "picture": pictures.add(run.cases, stored.get("file")),
    "low": stored.get("low"),
    "high": stored.get("high"),
  }


def film_of(
  runs: Sequence[Run], *names: str
) -> tuple[Cases | None, str | None]:
  """Return where the picture of a film is: in the first run that has it.

  Args:
    runs: of the page.
    *names: of the film: one for all runs, or one for each.
  """
  for run, image in zip(runs, names * len(runs)):
    if run.cases is not None and image in run.cases.images:
      return run.cases, run.cases.images[image]
  return None, None


def share(box: Any, frame: Sequence[int]) -> list[float] | None:
  """Return a box as shares of the image, None if it is empty or NaN.

  Args:
    box: `[4]` in pixels of the frame.
    frame: its height and width.
  """
  if not np.isfinite(box).all() or not overlap.area(box) > 0:
    return None
  height, width = frame
  return np.round(np.divide(box, [width, height] * 2), _PLACES).tolist()
