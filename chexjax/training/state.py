"""What training holds, and what each stage trains."""

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
  """Everything a step reads and writes.

  Attributes:
    step: steps done in this stage, int32 scalar.
    params: all parameters, trained in this stage or not.
    batch_stats: running statistics of every batch norm.
    opt_state: of the trained parameters alone.
  """

  step: jax.Array
  params: Any
  batch_stats: Any
  opt_state: Any


def create_state(
  variables: Any, tx: optax.GradientTransformation, *, stage: int
) -> TrainState:
  """Starts a stage from a model's `params` and `batch_stats`."""
  trained = {k: variables["params"][k] for k in TRAINED[stage]}
  return TrainState(
    step=jax.numpy.zeros((), jax.numpy.int32),
    params=variables["params"],
    batch_stats=variables["batch_stats"],
    opt_state=tx.init(trained),
  )
