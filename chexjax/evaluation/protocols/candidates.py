"""One finding's rows under every candidate, and under the chosen one."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.protocols.row_values import (
  BOX_ACC_IOU,
  UNDEFINED,
  RowValues,
)
from chexjax.evaluation.protocols.threshold_choice import (
  PROTOCOLS,
  crossfit,
  oracle,
)

_Choice = Callable[[np.ndarray], np.ndarray | None]


class Candidates(NamedTuple):
  """One finding's rows under every candidate, a threshold or constant box.

  Attributes:
    iou: `[P, C]`.
    cdice: `[P, C]`; `[P]` where it is the same for all candidates; or None.
    owners: `[C]` patients the candidates come from, see
      `threshold_choice.crossfit`; or None.
    iobb: `[P, C]` or None.
    pointing: `[P, C]` or `[P]`, or None.
    best_iou: `[P, C]`, of the best of several boxes; or None.
    any_iou: `[P, C]`, with the best one of several true boxes; None where it is
      `iou`.
  """

  iou: np.ndarray
  cdice: np.ndarray | None = None
  owners: np.ndarray | None = None
  iobb: np.ndarray | None = None
  pointing: np.ndarray | None = None
  best_iou: np.ndarray | None = None
  any_iou: np.ndarray | None = None


def under_choice(
  chosen: np.ndarray | None, candidates: Candidates
) -> RowValues:
  """Return the values of rows under the chosen candidates.

  Args:
    chosen: `[R, P]` int, of `oracle` or `crossfit`, or None.
    candidates: the finding's rows.

  Returns:
    The `RowValues` without `box_acc`, which chooses for itself; what depends
    on the choice is None where `chosen` is.
  """
  rows = np.arange(len(candidates.iou))

  def look_up(values: np.ndarray | None) -> np.ndarray | None:
    if values is None:
      return None
    if values.ndim == 1:
      return values[None]
    return None if chosen is None else values[rows, chosen]

  return RowValues(
    iou=look_up(candidates.iou),
    cdice=look_up(candidates.cdice),
    chosen=chosen,
    iobb=look_up(candidates.iobb),
    pointing=look_up(candidates.pointing),
    any_iou=look_up(candidates.any_iou),
  )


def _box_acc(
  choose_on: _Choice, best_iou: np.ndarray | None
) -> np.ndarray | None:
  """Return the share of `BOX_ACC_IOU` reached, a candidate chosen for each."""
  if best_iou is None:
    return None
  rows = np.arange(len(best_iou))
  reached = []
  for t in BOX_ACC_IOU:
    hits = (np.asarray(best_iou) >= t).astype(float)
    chosen = choose_on(hits)
    if chosen is None:
      return None
    reached.append(hits[rows, chosen])
  return np.mean(reached, 0)


def measure_candidates(
  candidates: Candidates,
  patients: ArrayLike,
  *,
  predicted: np.ndarray | None = None,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
) -> dict[str, RowValues]:
  """Return one finding's values under each protocol.

  Args:
    candidates: the finding's rows; there may be none.
    patients: `[P]`.
    predicted: `[R or 1, P]` bool, whether the finding is predicted of the
      row's image. It adds the protocol `predicted`: as `crossfit`, and 0 where
      the finding is not predicted.
    folds: number of folds of `crossfit`.
    repeats: how many times patients are dealt.
    seed: of the random deals.

  Returns:
    Protocol -> `RowValues`.
  """
  names = [*PROTOCOLS, *(["predicted"] if predicted is not None else [])]
  if not len(candidates.iou):
    return dict.fromkeys(names, UNDEFINED)

  def fitted(values: np.ndarray) -> np.ndarray | None:
    return crossfit(
      values,
      patients,
      owners=candidates.owners,
      folds=folds,
      repeats=repeats,
      seed=seed,
    )

  choices: dict[str, _Choice] = {"oracle": oracle, "crossfit": fitted}
  result = {
    protocol: under_choice(choose_on(candidates.iou), candidates)._replace(
      box_acc=_box_acc(choose_on, candidates.best_iou)
    )
    for protocol, choose_on in choices.items()
  }
  if predicted is not None:
    result["predicted"] = result["crossfit"].where(predicted)
  return result
