"""Adam with decoupled weight decay and a warm-up."""

from collections.abc import Mapping

import optax

from chexjax.models._cpu import apart


def make_schedule(
  *, learning_rate: float, num_steps: int, warmup_steps: int, decay: str
) -> optax.Schedule:
  """Ramps up linearly, then stays ("constant") or falls to 0 ("cosine").

  Raises:
    ValueError: for another decay, or a warm-up longer than the stage.
  """
  if warmup_steps >= num_steps:
    raise ValueError(
      f"warm-up of {warmup_steps} steps leaves nothing of {num_steps}"
    )
  if decay == "cosine":
    return optax.warmup_cosine_decay_schedule(
      0.0, learning_rate, warmup_steps, num_steps
    )
  if decay == "constant":
    return optax.warmup_constant_schedule(0.0, learning_rate, warmup_steps)
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
  """Builds Adam; weight decay is decoupled, as the released code's.

  The paper gives momentum 0.9 and weight decay 1e-3 and does not say which
  kind. The released code has b2 0.99 and eps 0.1.

  Args:
    schedule: learning rate at a step.
    weight_decay: decoupled, in units of the learning rate.
    b1: decay of the first moment.
    b2: decay of the second moment.
    eps: added to the second moment's root.
    factors: on the learning rate of groups of parameters, by name; 1 where
      not given.
  """

  adam = optax.adamw(schedule, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay)
  # One update of one vector, not one of each of 400 parameters.
  adam = optax.flatten(
    optax.GradientTransformation(adam.init, apart(adam.update))
  )
  if not factors:
    return adam

  def scale(updates, _):
    scaled = {
      group: optax.tree.scale(factor, updates[group])
      for group, factor in factors.items()
    }
    return updates | scaled

  return optax.chain(adam, optax.stateless(scale))
