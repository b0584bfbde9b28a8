"""Where arrays live: a batch split over the devices, the rest on each."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


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


def fitting(batch_size: int, mesh: Mesh) -> int:
  """Return the next batch size that the mesh's devices divide."""
  return math.ceil(batch_size / mesh.size) * mesh.size
