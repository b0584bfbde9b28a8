"""Checks of a stage's metrics: not finite, or not learning."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from chexjax import messages

LEAST_AUC = 0.55


class Health:
  """Checks the metrics of every step when they are logged."""

  def __init__(
    self,
    stage: int,
    *,
    skip: bool = False,
    most: int = 0,
    names: Callable[[np.ndarray], Sequence[str]] = lambda index: [
      *map(str, index)
    ],
    keep: Callable[[int, np.ndarray], str] = lambda step, index: "",
  ):
    """Start with no step skipped.

    Args:
      stage: for messages.
      skip: whether the step function skips steps that are not finite. They are
        counted then; otherwise the first one is an error.
      most: number of steps that may be skipped; one more is an error.
      names: returns the names of the examples with the given indices.
      keep: called before the error with the step and the indices of its
        batch; stores what is needed to replay it and returns a text about it.
    """
    self._stage, self._skip, self._most = stage, skip, most
    self._names, self._keep = names, keep
    self._skipped = 0

  def means(
    self,
    step: int,
    rows: Sequence[dict[str, Any]],
    indices: Sequence[jax.Array],
  ) -> dict[str, Any]:
    """Average the metrics of consecutive steps, those that are finite.

    Args:
      step: of the last row.
      rows: metrics of each step, on the host.
      indices: `[B]` each, the examples of each step.

    Returns:
      The means by name, None if no row is finite. With `skip`, `skipped` is
      the number of rows that are not finite.

    Raises:
      FloatingPointError: a row is not finite (with `skip`: one too many);
        names its step and its examples.
    """
    finite = []
    for number, row, index in zip(
      range(step - len(rows) + 1, step + 1), rows, indices
    ):
      if all(math.isfinite(value) for value in row.values()):
        finite.append(row)
      else:
        self._not_finite(number, row, _local(index))
    means: dict[str, Any] = {
      key: sum(float(row[key]) for row in finite) / len(finite)
      if finite
      else None
      for key in rows[0]
    }
    if self._skip:
      means["skipped"] = len(rows) - len(finite)
    return means

  def _not_finite(
    self, step: int, row: dict[str, Any], index: np.ndarray
  ) -> None:
    """Count a step that is not finite, or raise."""
    shown = ", ".join(f"{key} {float(value):g}" for key, value in row.items())
    text = (
      f"stage {self._stage} step {step} is not finite ({shown}); "
      f"its images: {', '.join(self._names(index))}"
    )
    self._skipped += 1
    if not self._skip:
      raise FloatingPointError(f"{text}{self._keep(step, index)}")
    if self._skipped > self._most:
      text += f"; {self._most} such steps were skipped already"
      raise FloatingPointError(f"{text}{self._keep(step, index)}")
    messages.tell(
      f"note: {text}; skipped, {self._skipped} of at most {self._most}",
    )

  def judge(
    self, step: int, auc: float | None, *, num_steps: int, eval_every: int
  ) -> None:
    """Warn at the first evaluation after a third of the steps, if near chance.

    Args:
      step: of this evaluation.
      auc: validation AUC in 0..1, None if it is undefined.
      num_steps: steps of the stage.
      eval_every: steps between evaluations.
    """
    third = num_steps / 3
    before = (step - 1) // eval_every * eval_every
    if before < third <= step and auc is not None and auc < LEAST_AUC:
      messages.tell(
        f"warning: stage {self._stage} does not learn: validation AUC "
        f"{auc:.3f} after {step} of {num_steps} steps, under {LEAST_AUC}; look "
        "at the learning rate, the labels and the contact sheet",
      )


def _local(index: jax.Array) -> np.ndarray:
  """Return this process's share of a batch's indices."""
  return np.concatenate([shard.data for shard in index.addressable_shards])
