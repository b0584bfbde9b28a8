"""On how many findings a map beats its controls, and what cannot be judged."""

from typing import NamedTuple

from chexjax.evaluation.measures.heat_maps import untrained_name
from chexjax.evaluation.outputs.table_cells import Results, value_at


class Beaten(NamedTuple):
  """The findings of enough patients, by how a map stands against a control.

  Attributes:
    won: the map is better, beyond chance.
    worse: the map is worse, beyond chance.
    even: there is no difference beyond chance.
  """

  won: list[str]
  worse: list[str]
  even: list[str]

  @property
  def judged(self) -> int:
    """How many findings are judged."""
    return sum(map(len, self))


def over_blind_box(results: Results, name: str) -> Beaten | None:
  """Return how a map stands against the box that never saw the film.

  Args:
    results: tree of `results.json`.
    name: of the map.

  Returns:
    The findings; None if none is judged.
  """
  return _beaten(results, "over_blind", name)


def over_untrained(results: Results, name: str) -> Beaten | None:
  """Return how a map stands against that of untrained heads.

  Args:
    results: tree of `results.json`.
    name: of the map.

  Returns:
    The findings, by the IoU of cross-fitted thresholds; None if none is judged.
  """
  path = (name, untrained_name(name), "crossfit", "iou")
  return _beaten(results, "gains", *path)


def _beaten(results: Results, *path: str) -> Beaten | None:
  few = value_at(results, "few_patients", "localization") or {}
  judged = {
    name: of
    for name, of in (value_at(results, *path) or {}).items()
    if name not in (*few, "mean", "beats") and of["apart"] is not None
  }
  if not judged:
    return None
  apart = {name: of["difference"] for name, of in judged.items() if of["apart"]}
  return Beaten(
    [name for name, difference in apart.items() if difference >= 0],
    [name for name, difference in apart.items() if difference < 0],
    [name for name in judged if name not in apart],
  )


def has_true_boxes(results: Results) -> bool:
  """Return whether any scored film has a true box.

  Args:
    results: tree of `results.json`.
  """
  return any(results["counts"]["boxes"].values())


def why_no_mean(results: Results, where: str) -> str:
  """Return why a mean over findings is undefined.

  Args:
    results: tree of `results.json`.
    where: `auc` or `localization`, whose mean is meant.
  """
  return next(
    (
      str(of["reason"])
      for of in results["undefined"]
      if (of["where"], of["finding"]) == (where, "mean")
    ),
    "it is undefined",
  )
