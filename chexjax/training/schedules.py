"""What changes from step to step: the learning rate and the temperature."""

from collections.abc import Callable
from typing import Any

import jax
import optax

from chexjax import ops
from chexjax.training.config import Config
from chexjax.training.optimizers import make_schedule


def learning_rate(
  config: Config, stage: int, steps: int, num_examples: int
) -> optax.Schedule:
  """Build the learning rate of a stage.

  Args:
    config: of the run.
    stage: 1, 2 or 3.
    steps: of the stage.
    num_examples: training images.

  Returns:
    The learning rate as a function of the stage's step; the warm-up is at most
    half of the stage.
  """
  options = getattr(config, f"stage{stage}")
  warmup = round(options.warmup_epochs * num_examples / config.batch_size)
  return make_schedule(
    learning_rate=options.learning_rate,
    num_steps=steps,
    warmup_steps=min(warmup, steps // 2),
    decay=options.decay,
  )


def scheduled(
  config: Config, stage: int, steps: dict[int, int], num_examples: int
) -> Callable[[int], dict[str, float]]:
  """Return what tells the learning rate and the temperature of a step.

  Args:
    config: of the run.
    stage: 1, 2 or 3.
    steps: of each stage.
    num_examples: training images.

  Returns:
    A function of the number of a step, from 1, to its `learning_rate` and,
    from stage 2 on, its `tau`.
  """
  schedules = {
    "learning_rate": learning_rate(config, stage, steps[stage], num_examples)
  }
  if stage > 1:
    schedules["tau"] = tau_schedule(config, stage, steps)
  return lambda step: {
    name: float(of(step - 1)) for name, of in schedules.items()
  }


def tau_schedule(
  config: Config, stage: int, steps: dict[int, int]
) -> Callable[[Any], jax.Array]:
  """Build the temperature schedule of a stage.

  The temperature falls exponentially over stages 2 and 3 together.

  Args:
    config: of the run.
    stage: 1, 2 or 3.
    steps: of each stage.

  Returns:
    The temperature as a function of the stage's step.
  """
  done = steps[2] if stage == 3 else 0
  total = steps[2] + steps[3]
  return lambda step: ops.exponential_tau(
    (step + done) / total, start=config.tau_start, end=config.tau_end
  )
