"""Thresholds that a run has chosen, out of its `results.json`."""

import pathlib
import shlex
from typing import Any

from chexjax import io, messages

_UNSCORED = (
  "was not scored after this stage: its run is not finished, and no threshold "
  "is its own"
)


def percentiles_of(
  content: dict[str, Any], map_name: str, *, path: pathlib.Path
) -> dict[str, float]:
  """Return the thresholds at which a run's map is cut.

  Args:
    content: of `results.json`.
    map_name: "mix" or "sal".
    path: of the file, for errors.

  Returns:
    Finding -> median of its cross-fitted thresholds: the share of the map's
    pixels below the cut, 0..1. A finding without any is left out.

  Raises:
    ValueError: the file has no such thresholds, or they are no percentiles.
  """
  try:
    meaning = content["protocol"]["maps"][map_name]["threshold_means"]
    chosen = content["chosen"][map_name]["crossfit"]
  except (KeyError, TypeError) as error:
    raise ValueError(
      f"{path} holds no cross-fitted thresholds of the map {map_name}"
    ) from error
  if meaning != "percentile":
    raise ValueError(f"{path}: thresholds of {map_name} are {meaning}")
  return {name: _median(values) for name, values in chosen.items() if values}


def score_cuts_of(content: dict[str, Any]) -> dict[str, float]:
  """Return the scores from which on a run counts a finding as predicted.

  Args:
    content: of `results.json`.

  Returns:
    Finding -> median of the thresholds chosen on other patients, 0..1; empty
    where the run has none.
  """
  rule = (content.get("protocol") or {}).get("predicted") or {}
  chosen = rule.get("thresholds") or {}
  return {name: _median(values) for name, values in chosen.items() if values}


def of_workdir(
  workdir: pathlib.Path, stage: int, map_name: str
) -> tuple[dict[str, float], dict[str, float]]:
  """Return the percentiles and the score cuts of a run that was scored.

  Args:
    workdir: of the run.
    stage: that the weights are of; results of another stage are not read.
    map_name: see `percentiles_of`.

  Returns:
    Both empty if the run was not scored after this stage. A file that lacks
    them is named in a warning.

  Raises:
    ValueError: the file is damaged; says how to go on.
  """
  path = workdir / "results.json"
  if not path.is_file():
    messages.tell(f"note: {workdir} {_UNSCORED}")
    return {}, {}
  try:
    content = io.read_json(path)
  except ValueError as error:
    command = shlex.join(["chexjax", "evaluate", f"--workdir={workdir}"])
    raise ValueError(
      f"{error}; `{command}` makes it anew, and without the file the run's "
      "thresholds are not used"
    ) from error
  try:
    if content["provenance"]["trained_stages"] != stage:
      messages.tell(f"note: {workdir} {_UNSCORED}")
      return {}, {}
    return percentiles_of(content, map_name, path=path), score_cuts_of(content)
  except (ValueError, KeyError, TypeError, AttributeError) as error:
    messages.warn(f"warning: no thresholds taken from {path}: {error}")
    return {}, {}


def _median(values: list[float]) -> float:
  return sorted(values)[len(values) // 2]
