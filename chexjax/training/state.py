"""The state of training, and the parameters that each stage trains."""

from typing import Any

import flax.struct
import jax
import optax

# The groups of `ChexModel`'s parameters that a stage trains.
TRAINED: dict[int, tuple[str, ...]] = {
  1: ("classification",),
  2: ("detection", "crop_classifier"),
  3: ("classification", "detection", "crop_classifier"),
}


@flax.struct.dataclass
class TrainState:
  """Everything that a step reads and writes.

  Attributes:
    step: steps done in this stage, int32 scalar.
    params: all parameters, trained in this stage or not.
    batch_stats: running statistics of every batch norm.
    opt_state: optimizer state, of the trained parameters only.
  """

  step: jax.Array
  params: Any
  batch_stats: Any
  opt_state: Any


def create_state(
  variables: Any, tx: optax.GradientTransformation, *, stage: int
) -> TrainState:
  """Create the state at the start of a stage.

  Args:
    variables: `params` and `batch_stats` of a model.
    tx: optimizer.
    stage: 1, 2 or 3.

  Returns:
    The state at step 0.
  """
  trained = {k: variables["params"][k] for k in TRAINED[stage]}
  return TrainState(
    step=jax.numpy.zeros((), jax.numpy.int32),
    params=variables["params"],
    batch_stats=variables["batch_stats"],
    opt_state=tx.init(trained),
  )
