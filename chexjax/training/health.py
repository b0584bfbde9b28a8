"""What a stage's numbers say of it: not finite, or not learning."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from chexjax import messages

LEAST_AUC = 0.55


class Health:
  """Looks at every step's metrics when they are logged.

  Args:
    stage: for messages.
    skip: steps that are not finite were skipped by the step function, and are
      counted; otherwise the first one is an error.
    most: as many steps may be skipped, one more is an error.
    names: of the examples with given indices.
    keep: told the step and the indices of its batch before the error, leaves
      something to replay it with and says what.
  """

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
    """Starts with no step skipped."""
    self._stage, self._skip, self._most = stage, skip, most
    self._names, self._keep = names, keep
    self._skipped = 0

  def means(
    self, step: int, rows: Sequence[dict], indices: Sequence[jax.Array]
  ) -> dict[str, Any]:
    """Returns the means of the finite rows, None where there is none.

    With `skip`, `skipped` is the number of the others.

    Args:
      step: of the last row.
      rows: metrics of consecutive steps, on the host.
      indices: `[B]` each, the examples of the same steps.

    Raises:
      FloatingPointError: at a row that is not finite, or one too many; names
        its step and its examples.
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

  def _not_finite(self, step, row, index):
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
    """Warns at the first evaluation after a third, if it is near chance."""
    third = num_steps / 3
    before = (step - 1) // eval_every * eval_every
    if before < third <= step and auc is not None and auc < LEAST_AUC:
      messages.tell(
        f"warning: stage {self._stage} does not learn: validation AUC "
        f"{auc:.3f} after {step} of {num_steps} steps, under {LEAST_AUC}; look "
        "at the learning rate, the labels and the contact sheet",
      )


def _local(index: jax.Array) -> np.ndarray:
  """Returns this process's share of a batch's indices."""
  return np.concatenate([shard.data for shard in index.addressable_shards])
