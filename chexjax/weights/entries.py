"""What a table of names is made of: one entry, its layout, its layers."""

from typing import NamedTuple

import numpy as np

Path = tuple[str, ...]

# Axes of ours, in terms of PyTorch's: OIHW to HWIO, out x in to in x out.
_AXES = {"conv": (2, 3, 1, 0), "linear": (1, 0)}


class Entry(NamedTuple):
  """One entry of a state dict and the leaf that holds it.

  Attributes:
    name: in the state dict.
    path: in our variables, from the collection down; empty for a counter.
    layout: "same", "conv", "linear", "scalar" (`[1]` there, `[]` here), or
      "counter": `num_batches_tracked`, which has no place in our tree.
    slot: class whose slice of the leaf this is; None for the whole leaf.
  """

  name: str
  path: Path
  layout: str = "same"
  slot: int | None = None


def to_ours(layout: str, array: np.ndarray) -> np.ndarray:
  """Lays out an array of a state dict as our leaf, or slice of it, is."""
  if layout == "scalar":
    return array.reshape(())
  return array.transpose(_AXES[layout]) if layout in _AXES else array


def to_theirs(layout: str, array: np.ndarray) -> np.ndarray:
  """Undoes `to_ours`."""
  if layout == "scalar":
    return array.reshape(1)
  if layout in _AXES:
    return array.transpose(np.argsort(_AXES[layout]))
  return array


def conv(
  name: str, path: Path, *, bias: bool = False, slot: int | None = None
) -> list[Entry]:
  """Lists a convolution: `name.weight` and, if it has one, `name.bias`."""
  params = ("params", *path)
  found = [Entry(f"{name}.weight", (*params, "kernel"), "conv", slot)]
  if bias:
    found.append(Entry(f"{name}.bias", (*params, "bias"), "same", slot))
  return found


def linear(
  name: str, path: Path, *, bias: bool = True, slot: int | None = None
) -> list[Entry]:
  """Lists a linear layer."""
  weight, *rest = conv(name, path, bias=bias, slot=slot)
  return [weight._replace(layout="linear"), *rest]


def norm(name: str, path: Path, *, slot: int | None = None) -> list[Entry]:
  """Lists a batch norm, its running statistics and its batch counter."""
  params, stats = ("params", *path), ("batch_stats", *path)
  return [
    Entry(f"{name}.weight", (*params, "scale"), "same", slot),
    Entry(f"{name}.bias", (*params, "bias"), "same", slot),
    Entry(f"{name}.running_mean", (*stats, "mean"), "same", slot),
    Entry(f"{name}.running_var", (*stats, "var"), "same", slot),
    Entry(f"{name}.num_batches_tracked", (), "counter"),
  ]
