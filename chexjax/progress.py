"""How far a work is, how fast it goes, and how long it still takes.

    with Progress("test films", total=len(films)) as progress:
      for film in films:
        ...
        progress.add()

A work of less than five seconds says nothing. A longer one has a line for every
tenth, and one at its end; a terminal shows one line that changes in its place.
Everything goes through `chexjax.messages`.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from chexjax import messages

# Seconds. A shorter work needs no line.
LEAST = 5.0
# After as long a silence there is a line, whatever was done meanwhile.
SILENCE = 300.0
_GLIMPSE = 0.5
_TENTHS = 10

# Works that are under way, the innermost last: it alone is shown.
_UNDER_WAY: list["Progress"] = []


class Progress:
  """Tells how far one work is, from its beginning to the end of the block."""

  def __init__(
    self,
    what: str,
    *,
    total: int | None = None,
    done: int = 0,
    count: Callable[[], int] | None = None,
  ):
    """Describe the work.

    Args:
      what: is done, and to what, such as `test films`.
      total: how many there are; None for a work that cannot be counted.
      done: how many were done before.
      count: asked now and then how many are done, for a work that is done
        elsewhere, such as in another process; else `add` says it.
    """
    self._what, self._total, self._count = what, total, count
    self._before, self._done = done, done
    self._said = self._more = ""
    self._ended = threading.Event()
    self._watch: threading.Thread | None = None

  def __enter__(self) -> Self:
    """Start the clock."""
    self._began = self._last_line = time.monotonic()
    # What was done, and when, after the first part, which often compiles.
    self._warm: tuple[int, float] | None = None
    self._counted = self._began  # when something was counted last
    self._tenth = self._tenth_of(self._done)
    _UNDER_WAY.append(self)
    if messages.LOGGER.isEnabledFor(logging.INFO):
      self._watch = threading.Thread(target=self._look, daemon=True)
      self._watch.start()
    return self

  def __exit__(
    self,
    kind: type[BaseException] | None,
    error: BaseException | None,
    trace: TracebackType | None,
  ) -> None:
    """Say how long the work took, unless it failed or was short."""
    self._ended.set()
    if self._watch is not None:
      self._watch.join()
    _UNDER_WAY.remove(self)
    messages.glimpse("")
    seconds = time.monotonic() - self._began
    if not self._total:
      # Done once, such as a compilation: it says nothing of others' rate.
      for outer in _UNDER_WAY:
        outer._leave_out(seconds)
    if kind is None and seconds >= LEAST:
      messages.tell(self._closing(seconds))

  def add(
    self,
    number: int = 1,
    *,
    said: str = "",
    more: str = "",
    stays: bool = False,
  ) -> None:
    """Count what was done.

    Args:
      number: of parts that were done since the last call.
      said: about them, shown after the counts.
      more: about them, shown at the end, which a terminal may cut off.
      stays: whether there is a line now, which stays on a terminal too.
    """
    now = self._counted = time.monotonic()
    self._done, self._said, self._more = self._done + number, said, more
    if self._warm is None:
      self._warm = (self._done, now)
    if stays:
      self._tenth, self._last_line = self._tenth_of(self._done), now
      messages.tell(self.line())
    self._tell_if_due(now)

  def to(self, done: int, total: int) -> None:
    """Say how many are done where the total is known late.

    Args:
      done: of all parts.
      total: of all parts.
    """
    self._total = total
    self.add(done - self._done)

  @property
  def done(self) -> int:
    """How many parts are done."""
    return self._done

  def _leave_out(self, seconds: float) -> None:
    """Go on as if a time that has passed had not been."""
    self._began += seconds
    self._last_line += seconds
    self._counted += seconds
    if self._warm is not None:
      self._warm = (self._warm[0], self._warm[1] + seconds)

  def _look(self) -> None:
    """Refresh a terminal's line; runs beside the work."""
    while not self._ended.wait(_GLIMPSE):
      if _UNDER_WAY[-1:] != [self]:
        continue
      if self._count is not None:
        self._done = self._before + self._count()
        self._counted = time.monotonic()
      try:
        messages.glimpse(self.line())
        self._tell_if_due(time.monotonic())
      except (OSError, ValueError):  # The console is gone; the work is not.
        return

  def _tell_if_due(self, now: float) -> None:
    if now - self._began < LEAST or _UNDER_WAY[-1:] != [self]:
      return
    tenth = self._tenth_of(self._done)
    first = self._last_line == self._began and self._total is None
    if tenth > self._tenth or first or now - self._last_line >= SILENCE:
      self._tenth, self._last_line = tenth, now
      if self._done != self._total:
        messages.milestone(self.line())

  def _tenth_of(self, done: int) -> int:
    return _TENTHS * done // self._total if self._total else 0

  def line(self) -> str:
    """Return how far the work is now."""
    if not self._total:
      return f"{self._what}: {clock(time.monotonic() - self._began)} so far"
    share = 100 * self._done // self._total
    parts = [f"{self._what}: {share} %, {self._done:,} of {self._total:,}"]
    if self._said:
      parts.append(self._said)
    seconds = self._each()
    if seconds is not None:
      left = seconds * (self._total - self._done)
      parts += [rate(seconds), f"{clock(left)} left"]
    if self._more:
      parts.append(self._more)
    return ", ".join(parts)

  def _each(self) -> float | None:
    """Return the seconds that one part takes, None before it is known."""
    done, since = self._warm or (self._before, self._began)
    if self._done <= done:
      done, since = self._before, self._began
    if self._done <= done or self._counted <= since:
      return None
    return (self._counted - since) / (self._done - done)

  def _closing(self, seconds: float) -> str:
    if not self._total:
      return f"{self._what}: took {clock(seconds)}"
    if self._count is not None:
      self._done = self._before + self._count()
    each = seconds / max(1, self._done - self._before)
    return f"{self._what}: {self._done:,} in {clock(seconds)}, {rate(each)}"


def clock(seconds: float) -> str:
  """Return a duration as `1:02` (minutes) or `3:01:02` (hours)."""
  minutes, rest = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  if hours:
    return f"{hours}:{minutes:02}:{rest:02}"
  return f"{minutes}:{rest:02}"


def rate(seconds: float) -> str:
  """Return how fast a work is.

  Args:
    seconds: that one part takes.

  Returns:
    Parts a second, or seconds a part where that is more than one.
  """
  if seconds > 1:
    return f"{seconds:.1f} s each"
  each = 1 / max(seconds, 1e-9)
  return f"{each:,.0f}/s" if each >= 100 else f"{each:.1f}/s"
