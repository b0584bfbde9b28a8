"""Placement of arrays: a batch is split over the devices, the rest copied."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def make_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """Return a mesh with the one axis `data`.

  Args:
    devices: in the mesh; by default those of all processes.
  """
  return Mesh(np.array(devices or jax.devices()), ("data",))


def replicated(mesh: Mesh) -> NamedSharding:
  """Return the sharding of the state: a whole copy on each device."""
  return NamedSharding(mesh, PartitionSpec())


def sharded(mesh: Mesh) -> NamedSharding:
  """Return the sharding of a batch: split along its first axis."""
  return NamedSharding(mesh, PartitionSpec("data"))


def shard_batch(batch: Any, mesh: Mesh) -> Any:
  """Put this process's share of a global batch on the mesh.

  Args:
    batch: tree of host arrays that all have the same first axis.
    mesh: with an axis `data`.

  Returns:
    The tree as global arrays.

  Raises:
    ValueError: the first axis is no multiple of the local devices.
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
  """Return the smallest multiple of the mesh's devices from a size on.

  Args:
    batch_size: smallest size wanted.
    mesh: whose devices share the batch.
  """
  return math.ceil(batch_size / mesh.size) * mesh.size
