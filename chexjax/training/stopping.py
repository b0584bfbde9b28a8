"""A wish to stop, by signal: a preempted machine's SIGTERM, or Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from chexjax import messages

# EX_TEMPFAIL of sysexits.h: nothing is wrong, start the same command again.
EXIT_STATUS = 75


class Stopped(KeyboardInterrupt):
  """Says that the program was asked to stop, and where it stood.

  No `Exception`, so that nothing that mends errors takes it for one.
  """


class Stopping:
  """Answers whether the program was asked to stop.

  A signal raises `Stopped` at once, except inside `later`, where it is only
  noted: there the work in hand is finished and saved first. The second signal
  does what it would do without us, so that a person can insist.
  """

  def __init__(self) -> None:
    """Starts without a wish."""
    self._name = ""
    self._at_once = True

  def __call__(self) -> bool:
    """Returns whether a signal was noted."""
    return bool(self._name)

  @contextlib.contextmanager
  def later(self) -> Iterator[None]:
    """Only notes signals inside."""
    with self._mode(at_once=False):
      yield

  @contextlib.contextmanager
  def at_once(self) -> Iterator[None]:
    """Raises `Stopped` inside, also for a signal noted before."""
    with self._mode(at_once=True):
      if self():
        raise Stopped(self._name)
      yield

  @contextlib.contextmanager
  def _mode(self, *, at_once):
    before, self._at_once = self._at_once, at_once
    try:
      yield
    finally:
      self._at_once = before

  @contextlib.contextmanager
  def handled(
    self,
    numbers: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT),
  ) -> Iterator[None]:
    """Takes signals inside; they belong to the main thread."""
    if threading.current_thread() is not threading.main_thread():
      yield
      return
    before = {number: signal.getsignal(number) for number in numbers}

    def handle(number: int, frame: FrameType | None) -> None:
      for each, handler in before.items():
        signal.signal(each, handler)
      self._name = signal.Signals(number).name
      if self._at_once:
        raise Stopped(self._name)
      messages.tell(f"{self._name}: stopping after this step")

    for number in numbers:
      signal.signal(number, handle)
    try:
      yield
    finally:
      for number, handler in before.items():
        signal.signal(number, handler)
