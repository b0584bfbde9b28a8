"""Stopping on a signal: SIGTERM of a preempted machine, or Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from chexjax import messages

# EX_TEMPFAIL of sysexits.h: no error, the same command can be started again.
EXIT_STATUS = 75


class Stopped(KeyboardInterrupt):
  """The program was asked to stop; the message says where it stood.

  Not an `Exception`, so that code that handles errors does not catch it.
  """


class Stopping:
  """Remembers whether the program was asked to stop by a signal.

  A signal raises `Stopped` immediately. Inside `later` it is only recorded, so
  that the current step can be finished and saved. A second signal has its
  usual effect, so that a person can force the end.
  """

  def __init__(self) -> None:
    """Start without a signal."""
    self._name = ""
    self._at_once = True

  def __call__(self) -> bool:
    """Return whether a signal was recorded."""
    return bool(self._name)

  @contextlib.contextmanager
  def later(self) -> Iterator[None]:
    """Only record signals inside the block."""
    with self._mode(at_once=False):
      yield

  @contextlib.contextmanager
  def at_once(self) -> Iterator[None]:
    """Raise `Stopped` for signals inside the block, and for one before it.

    Raises:
      Stopped: a signal was recorded before, or arrives.
    """
    with self._mode(at_once=True):
      if self():
        raise Stopped(self._name)
      yield

  @contextlib.contextmanager
  def _mode(self, *, at_once: bool) -> Iterator[None]:
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
    """Handle signals inside the block; do nothing in other threads.

    Python delivers signals to the main thread only.

    Args:
      numbers: signals to handle.
    """
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
