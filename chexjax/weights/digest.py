"""Which weights a model has, whatever file they came from."""

import hashlib
from typing import Any

import numpy as np
from flax import traverse_util


def flat_weights(variables: Any) -> dict[str, np.ndarray]:
  """Return the variables by name.

  Args:
    variables: `params` and `batch_stats`, on a device or not.

  Returns:
    `collection/module/.../name` -> array on the host, sorted by name.
  """
  flat = traverse_util.flatten_dict(variables, sep="/")
  return {name: np.asarray(flat[name]) for name in sorted(flat)}


def digest_of(variables: Any) -> str:
  """Return the SHA-256 of a model's weights.

  Args:
    variables: as `flat_weights`.

  Returns:
    64 hexadecimal digits, of each name, type and shape with its numbers; the
    same for a workdir and for the folder that was converted from it.
  """
  digest = hashlib.sha256()
  for name, array in flat_weights(variables).items():
    kind = f"{name} {array.dtype.str} {list(array.shape)}\n"
    digest.update(kind.encode())
    digest.update(np.ascontiguousarray(array).data)
  return digest.hexdigest()
