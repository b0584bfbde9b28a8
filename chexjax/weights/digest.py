"""What tells the weights of one model from those of another."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from flax import traverse_util


def flat_weights(variables: Any) -> dict[str, np.ndarray]:
  """Return the variables by name.

  Args:
    variables: `params` and `batch_stats`.

  Returns:
    `collection/module/.../name` -> array on the host, sorted by name.
  """
  flat = traverse_util.flatten_dict(variables, sep="/")
  return {name: np.asarray(flat[name]) for name in sorted(flat)}


def digest_of(weights: Mapping[str, np.ndarray]) -> str:
  """Return what tells weights apart, in whatever file they are.

  Args:
    weights: of `flat_weights`.

  Returns:
    64 hex digits: the SHA-256 of each name, type and shape with its numbers.
  """
  digest = hashlib.sha256()
  for name, array in sorted(weights.items()):
    kind = f"{name} {array.dtype.str} {list(array.shape)}\n"
    digest.update(kind.encode())
    digest.update(np.ascontiguousarray(array).tobytes())
  return digest.hexdigest()
