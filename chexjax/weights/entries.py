"""Entries of a table that maps a state dict to our variables."""

from typing import NamedTuple

import numpy as np

Path = tuple[str, ...]

# PyTorch's axis for each of ours: OIHW to HWIO, [out, in] to [in, out].
_AXES = {"conv": (2, 3, 1, 0), "linear": (1, 0)}


class Entry(NamedTuple):
  """One entry of a state dict and the leaf that holds its values.

  Attributes:
    name: in the state dict.
    path: in our variables, starting with the collection; empty for a counter.
    layout: "same", "conv", "linear", "scalar" (`[1]` there, `[]` here), or
      "counter" (`num_batches_tracked`, which our variables do not have).
    slot: index along the leaf's first axis if the entry is one class's slice;
      None if it is the whole leaf.
  """

  name: str
  path: Path
  layout: str = "same"
  slot: int | None = None


def to_ours(layout: str, array: np.ndarray) -> np.ndarray:
  """Change an array from a state dict's layout to ours.

  Args:
    layout: see `Entry`.
    array: in PyTorch's layout.

  Returns:
    A view where possible.
  """
  if layout == "scalar":
    return array.reshape(())
  return array.transpose(_AXES[layout]) if layout in _AXES else array


def to_theirs(layout: str, array: np.ndarray) -> np.ndarray:
  """Undo `to_ours`.

  Args:
    layout: see `Entry`.
    array: in our layout.

  Returns:
    A view where possible.
  """
  if layout == "scalar":
    return array.reshape(1)
  if layout in _AXES:
    return array.transpose(np.argsort(_AXES[layout]))
  return array


def conv(
  name: str, path: Path, *, bias: bool = False, slot: int | None = None
) -> list[Entry]:
  """List the entries of a convolution: its weight and, if any, its bias.

  Args:
    name: of the layer in the state dict.
    path: of the layer in `params`.
    bias: whether it has a bias.
    slot: see `Entry`.

  Returns:
    One or two entries.
  """
  params = ("params", *path)
  found = [Entry(f"{name}.weight", (*params, "kernel"), "conv", slot)]
  if bias:
    found.append(Entry(f"{name}.bias", (*params, "bias"), "same", slot))
  return found


def linear(
  name: str, path: Path, *, bias: bool = True, slot: int | None = None
) -> list[Entry]:
  """List the entries of a linear layer; see `conv`.

  Args:
    name: of the layer in the state dict.
    path: of the layer in `params`.
    bias: whether it has a bias.
    slot: see `Entry`.

  Returns:
    One or two entries.
  """
  weight, *rest = conv(name, path, bias=bias, slot=slot)
  return [weight._replace(layout="linear"), *rest]


def norm(name: str, path: Path, *, slot: int | None = None) -> list[Entry]:
  """List the entries of a batch norm: affine, running statistics, counter.

  Args:
    name: of the layer in the state dict.
    path: of the layer in `params` and in `batch_stats`.
    slot: see `Entry`.

  Returns:
    Five entries.
  """
  params, stats = ("params", *path), ("batch_stats", *path)
  return [
    Entry(f"{name}.weight", (*params, "scale"), "same", slot),
    Entry(f"{name}.bias", (*params, "bias"), "same", slot),
    Entry(f"{name}.running_mean", (*stats, "mean"), "same", slot),
    Entry(f"{name}.running_var", (*stats, "var"), "same", slot),
    Entry(f"{name}.num_batches_tracked", (), "counter"),
  ]
