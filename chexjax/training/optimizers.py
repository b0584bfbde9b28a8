"""Adam with decoupled weight decay, and learning rates with a warm-up."""

from collections.abc import Mapping
from typing import Any

import optax

from chexjax.models._cpu import apart


def make_schedule(
  *, learning_rate: float, num_steps: int, warmup_steps: int, decay: str
) -> optax.Schedule:
  """Build a learning rate schedule with a linear warm-up.

  Of `n` steps of warm-up the first has the `n + 1`-th part of the learning
  rate, because a step at 0 would change no parameter.

  Args:
    learning_rate: after the warm-up.
    num_steps: steps of the stage.
    warmup_steps: fewer than `num_steps`.
    decay: "constant", or "cosine" to fall to 0 at the end.

  Returns:
    The learning rate as a function of the step.

  Raises:
    ValueError: `decay` is neither, or the warm-up is as long as the stage.
  """
  if warmup_steps >= num_steps:
    raise ValueError(
      f"warm-up of {warmup_steps} steps leaves nothing of {num_steps}"
    )
  first = learning_rate / (warmup_steps + 1)
  if decay == "cosine":
    return optax.warmup_cosine_decay_schedule(
      first, learning_rate, warmup_steps, num_steps
    )
  if decay == "constant":
    return optax.warmup_constant_schedule(first, learning_rate, warmup_steps)
  raise ValueError(f"decay must be cosine or constant, got {decay!r}")


def make_optimizer(
  schedule: optax.Schedule,
  *,
  weight_decay: float = 1e-3,
  b1: float = 0.9,
  b2: float = 0.999,
  eps: float = 1e-8,
  factors: Mapping[str, float] | None = None,
) -> optax.GradientTransformation:
  """Build Adam with decoupled weight decay, as `optax.adamw`.

  The paper gives momentum 0.9 and weight decay 1e-3 but not the kind of decay;
  the released code decouples it. The released code has b2 0.99 and eps 0.1.

  Args:
    schedule: learning rate at a step.
    weight_decay: factor on the parameters, multiplied by the learning rate.
    b1: decay of the first moment.
    b2: decay of the second moment.
    eps: added to the root of the second moment.
    factors: group of parameters -> factor on its learning rate; 1 by default.

  Returns:
    The optimizer. Its state holds one vector per moment, not a tree.
  """

  adam = optax.adamw(schedule, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay)
  # One update of one vector is faster than 400 updates, one per parameter.
  adam = optax.flatten(
    optax.GradientTransformation(adam.init, apart(adam.update))
  )
  if not factors:
    return adam

  def scale(updates: Any, _: Any) -> Any:
    scaled = {
      group: optax.tree.scale(factor, updates[group])
      for group, factor in factors.items()
    }
    return updates | scaled

  return optax.chain(adam, optax.stateless(scale))
