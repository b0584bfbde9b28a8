"""State dicts laid out as variables: completely, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from flax import traverse_util

from chexjax.weights.entries import Entry, Path, to_ours, to_theirs


class WeightsError(ValueError):
  """Weights cannot be used; the message says which and why."""


class Merged(NamedTuple):
  """A state dict, laid out as our variables.

  Attributes:
    variables: `params` and `batch_stats` of the parts that the table covers.
    counters: `num_batches_tracked` by name; our variables do not have them.
    dropped: names that were left out on purpose.
    loaded: number of arrays that were loaded.
    expected: number of arrays in the table; equal to `loaded`.
  """

  variables: Any
  counters: dict[str, int]
  dropped: tuple[str, ...]
  loaded: int
  expected: int

  def describe(self) -> str:
    """Return a sentence such as `1119 of 1119 arrays loaded (213 ...)`."""
    aside = [f"{len(self.counters)} batch counters set aside"]
    if self.dropped:
      aside.append(f"left out: {', '.join(self.dropped)}")
    return (
      f"{self.loaded} of {self.expected} arrays loaded ({'; '.join(aside)})"
    )


def merge(
  state: Mapping[str, np.ndarray],
  table: Sequence[Entry],
  like: Any,
  *,
  covers: Sequence[Path],
  dropped: Sequence[str] = (),
  source: str = "the state dict",
) -> Merged:
  """Lay a state dict out as our variables.

  Stricter than `torch.nn.Module.load_state_dict(strict=True)`: types and
  finite values are checked too. Only batch counters may be absent, because
  files of 2017 have none.

  Args:
    state: name -> array.
    table: entries of the source.
    like: variables of the model, or their shapes.
    covers: subtrees of `params` and `batch_stats` that the table must fill.
    dropped: names that are left out if they are there.
    source: what messages call the state dict.

  Returns:
    The variables as float32, and what was left out.

  Raises:
    WeightsError: an entry is missing, unexpected, not finite, or of another
      shape or type; lists all of them.
  """
  leaves = _subtrees(like, covers)
  by_name = {entry.name: entry for entry in table}
  faults = [
    f"unexpected: {name} {list(np.shape(value))}"
    for name, value in state.items()
    if name not in by_name and name not in dropped
  ]
  counters: dict[str, int] = {}
  slices: dict[Path, dict[int | None, np.ndarray]] = {}
  expected = 0
  for entry in table:
    value = state.get(entry.name)
    if entry.layout == "counter":
      if value is not None:
        counters[entry.name] = int(value)
      continue
    expected += 1
    fault = _fault(entry, value, leaves)
    if fault:
      faults.append(fault)
    else:
      array = to_ours(entry.layout, np.asarray(value, np.float32))
      slices.setdefault(entry.path, {})[entry.slot] = array
  named = {entry.path for entry in table}
  faults += [
    f"the model's {'/'.join(path)} {list(leaves[path].shape)} has no entry"
    for path in leaves
    if path not in named
  ]
  loaded = sum(map(len, slices.values()))
  if faults:
    lines = "\n  ".join(faults)
    raise WeightsError(
      f"{source} does not fit: {loaded} of {expected} arrays can be loaded, "
      f"{len(faults)} faults; nothing is loaded\n  {lines}"
    )
  flat = {path: _whole(parts) for path, parts in slices.items()}
  return Merged(
    traverse_util.unflatten_dict(flat),
    counters,
    tuple(name for name in dropped if name in state),
    loaded,
    expected,
  )


def unmerge(
  variables: Any,
  table: Sequence[Entry],
  *,
  counters: Mapping[str, int] | None = None,
) -> dict[str, np.ndarray]:
  """Lay our variables out as a state dict: the inverse of `merge`.

  Args:
    variables: `params` and `batch_stats`.
    table: entries of the destination.
    counters: batch counters by name; 0 where not given.

  Returns:
    Name -> array in the table's order; float32, counters int64.
  """
  flat = traverse_util.flatten_dict(variables)
  state: dict[str, np.ndarray] = {}
  for entry in table:
    if entry.layout == "counter":
      state[entry.name] = np.asarray((counters or {}).get(entry.name, 0), "i8")
      continue
    leaf = np.asarray(flat[entry.path], np.float32)
    part = leaf if entry.slot is None else leaf[entry.slot]
    state[entry.name] = np.ascontiguousarray(to_theirs(entry.layout, part))
  return state


def replace(variables: Any, part: Any) -> Any:
  """Return variables with some leaves replaced.

  Args:
    variables: the whole tree; not changed.
    part: a subtree with the new leaves.

  Returns:
    A new tree.

  Raises:
    WeightsError: `variables` lacks a leaf of `part`.
  """
  flat = traverse_util.flatten_dict(variables)
  new = traverse_util.flatten_dict(part)
  strangers = [path for path in new if path not in flat]
  if strangers:
    raise WeightsError(f"the model has no {'/'.join(strangers[0])}")
  return traverse_util.unflatten_dict(flat | new)


def _subtrees(like: Any, covers: Sequence[Path]) -> dict[Path, Any]:
  """Return the leaves of `like` by path, those under any of `covers`."""
  return {
    path: leaf
    for path, leaf in traverse_util.flatten_dict(like).items()
    if any(path[1 : 1 + len(prefix)] == prefix for prefix in covers)
  }


def _fault(entry: Entry, value: Any, leaves: Mapping[Path, Any]) -> str | None:
  """Return what is wrong with an entry's value, None if nothing is."""
  if entry.path not in leaves:
    return f"the model has no {'/'.join(entry.path)} for {entry.name}"
  shape = leaves[entry.path].shape
  if entry.slot is not None:
    if entry.slot >= shape[0]:
      return f"the model has {shape[0]} classes, too few for {entry.name}"
    shape = shape[1:]
  want = to_theirs(entry.layout, np.broadcast_to(np.float32(0), shape)).shape
  if value is None:
    return f"missing: {entry.name} {list(want)}"
  if value.shape != want:
    return f"shape: {entry.name} is {list(value.shape)}, must be {list(want)}"
  if value.dtype.kind != "f":
    return f"type: {entry.name} is {value.dtype}, must be a float"
  if not np.isfinite(value).all():
    return f"not finite: {entry.name} holds NaN or infinity"
  return None


def _whole(parts: Mapping[int | None, np.ndarray]) -> np.ndarray:
  """Return a leaf: its one array, or the slices of all classes, stacked."""
  if None in parts:
    return np.ascontiguousarray(parts[None])
  return np.stack([parts[i] for i in range(len(parts))])
