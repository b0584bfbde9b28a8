"""Batches put on the devices ahead of the step that will read them."""

import collections
from collections.abc import Callable
from typing import Any


class Prefetch:
  """Puts the next batches on the devices while a step runs.

  The copy to a device runs beside the computation, as long as it is asked for
  before the step is waited for. A position is that of the batch last handed
  out, not of what was read ahead, so a checkpoint saved after a step goes on
  with the batch after it.
  """

  def __init__(
    self, batches: Any, place: Callable[[Any], Any], *, depth: int = 2
  ):
    """Wraps an iterator.

    Args:
      batches: has `__next__`, `get_state` and `set_state`.
      place: puts a batch on the devices and returns at once.
      depth: batches on the devices that no step has read, counting the one
        that is handed out; 1 reads nothing ahead.
    """
    if depth < 1:
      raise ValueError(f"depth must be at least 1, got {depth}")
    self._batches, self._place, self._depth = batches, place, depth
    self._ahead: collections.deque[tuple[Any, dict]] = collections.deque()
    self._state = batches.get_state()

  def __iter__(self) -> "Prefetch":
    """Returns itself."""
    return self

  def __next__(self) -> Any:
    """Returns the next batch, on the devices."""
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

  def get_state(self) -> dict:
    """Returns the position after the batch last handed out."""
    return self._state

  def set_state(self, state: dict) -> None:
    """Goes to a position; what was read ahead is dropped."""
    self._ahead.clear()
    self._batches.set_state(state)
    self._state = state
