"""Batches copied to the devices ahead of the step that reads them."""

import collections
from collections.abc import Callable
from typing import Any


class Prefetch:
  """An iterator that copies the next batches to the devices during a step.

  Copies run in parallel to the computation if they are started before the
  program waits for the step. The position is that of the batch last returned,
  not of batches read ahead: a run continued from a checkpoint starts with the
  batch after it.
  """

  def __init__(
    self, batches: Any, place: Callable[[Any], Any], *, depth: int = 2
  ):
    """Wrap an iterator.

    Args:
      batches: has `__next__`, `get_state` and `set_state`.
      place: starts the copy of a batch to the devices and returns at once.
      depth: most batches on the devices that no step has read, the returned
        one included; 1 reads nothing ahead.

    Raises:
      ValueError: `depth` is below 1.
    """
    if depth < 1:
      raise ValueError(f"depth must be at least 1, got {depth}")
    self._batches, self._place, self._depth = batches, place, depth
    self._ahead: collections.deque[tuple[Any, dict[str, Any]]]
    self._ahead = collections.deque()
    self._state = batches.get_state()

  def __iter__(self) -> "Prefetch":
    """Return itself."""
    return self

  def __next__(self) -> Any:
    """Return the next batch, on the devices."""
    while len(self._ahead) < self._depth:
      try:
        batch = next(self._batches)
      except StopIteration:
        break
      self._ahead.append((self._place(batch), self._batches.get_state()))
    if not self._ahead:
      raise StopIteration
    batch, self._state = self._ahead.popleft()
    return batch

  def get_state(self) -> dict[str, Any]:
    """Return the position after the batch last returned."""
    return self._state

  def set_state(self, state: dict[str, Any]) -> None:
    """Move to a position that `get_state` returned; drop batches read ahead."""
    self._ahead.clear()
    self._batches.set_state(state)
    self._state = state
