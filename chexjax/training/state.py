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
    params: all parameters, trained in this stage or not. Where a stage averages
      them, they are the average.
    batch_stats: running statistics of every batch norm, or their average.
    opt_state: optimizer state, of the trained parameters only; an `Averaging`
      where the stage averages.
  """

  step: jax.Array
  params: Any
  batch_stats: Any
  opt_state: Any


@flax.struct.dataclass
class Averaging:
  """What a stage that averages its weights keeps beside the average.

  The average is in the state's own fields, so that whoever reads a state needs
  to know nothing of it.

  Attributes:
    opt_state: of the optimizer.
    params: the trained parameters as the optimizer moves them.
    batch_stats: running statistics that belong to them.
  """

  opt_state: Any
  params: Any
  batch_stats: Any


def create_state(
  variables: Any,
  tx: optax.GradientTransformation,
  *,
  stage: int,
  average: bool = False,
) -> TrainState:
  """Create the state at the start of a stage.

  Args:
    variables: `params` and `batch_stats` of a model.
    tx: optimizer.
    stage: 1, 2 or 3.
    average: whether the stage averages its weights.

  Returns:
    The state at step 0.
  """
  trained = {k: variables["params"][k] for k in TRAINED[stage]}
  opt_state = tx.init(trained)
  if average:
    # Copies, since a step takes over the memory of all that it is given.
    copied = jax.tree.map(jax.numpy.copy, (trained, variables["batch_stats"]))
    opt_state = Averaging(opt_state, *copied)
  return TrainState(
    step=jax.numpy.zeros((), jax.numpy.int32),
    params=variables["params"],
    batch_stats=variables["batch_stats"],
    opt_state=opt_state,
  )
