"""Which weights a model has, whatever file they came from."""

import hashlib
from typing import Any

import jax
import numpy as np


def digest_of(variables: Any) -> str:
  """Return the SHA-256 of a model's weights.

  Args:
    variables: `params` and `batch_stats`, on a device or not.

  Returns:
    64 hexadecimal digits, of every leaf's path, type, shape and bytes; the same
    for a workdir and for the folder that was converted from it.
  """
  found = hashlib.sha256()
  leaves = jax.tree_util.tree_leaves_with_path(variables)
  for path, leaf in sorted(leaves, key=lambda x: jax.tree_util.keystr(x[0])):
    array = np.ascontiguousarray(jax.device_get(leaf))
    head = f"{jax.tree_util.keystr(path)} {array.dtype.str} {array.shape}\n"
    found.update(head.encode())
    found.update(array.data)
  return found.hexdigest()
