"""What training holds, what each stage trains, and where it lives."""

from collections.abc import Sequence
from typing import Any

import flax.struct
import jax
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

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


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """Returns a mesh along the axis `data`, of all processes' devices if of none
  in particular."""
  return Mesh(np.array(devices or jax.devices()), ("data",))


def replicated(mesh: Mesh) -> NamedSharding:
  """Returns the sharding of the state: whole on each device."""
  return NamedSharding(mesh, PartitionSpec())


def sharded(mesh: Mesh) -> NamedSharding:
  """Returns the sharding of a batch: split along its first axis."""
  return NamedSharding(mesh, PartitionSpec("data"))


def shard_batch(batch: Any, mesh: Mesh) -> Any:
  """Puts this process's share of a global batch on the mesh.

  Raises:
    ValueError: when the devices do not divide the batch.
  """
  local = len(mesh.local_devices)
  size = len(jax.tree.leaves(batch)[0])
  if size % local:
    low = size // local * local
    raise ValueError(
      f"batch {size} does not divide by {local} devices; "
      f"the nearest that do are {low or local} and {low + local}"
    )
  put = jax.make_array_from_process_local_data
  return jax.tree.map(lambda x: put(sharded(mesh), np.asarray(x)), batch)
