"""Several processes as one run: they start, wait, fail and stop together."""

import contextlib
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

T = TypeVar("T")

# The other processes wait while the first one builds records, for hours.
_PATIENCE_S = 24 * 3600


def join(
  coordinator: str | None,
  num_processes: int | None = None,
  process_id: int | None = None,
) -> None:
  """Join the other processes of the run; must be called before JAX is used.

  Args:
    coordinator: `HOST:PORT` of the first process. `auto` lets JAX find it,
      which works on TPU pods and under SLURM, Open MPI and Kubernetes. None
      means that this process is alone.
    num_processes: number of processes, where the coordinator does not know.
    process_id: this process's number, where the coordinator does not know.

  Raises:
    ValueError: the others were not found; holds JAX's message.
  """
  if coordinator is None:
    return
  try:
    jax.distributed.initialize(
      None if coordinator == "auto" else coordinator,
      num_processes,
      process_id,
      # The first process still scores after the others have finished.
      shutdown_timeout_seconds=_PATIENCE_S,
    )
  except (RuntimeError, ValueError) as error:
    raise ValueError(f"--coordinator={coordinator}: {error}") from error


def first() -> bool:
  """Return whether this process is the one that writes files."""
  return jax.process_index() == 0


def alone() -> bool:
  """Return whether this process is the whole run."""
  return jax.process_count() == 1


def signals() -> tuple[signal.Signals, ...]:
  """Return the signals that a run handles itself.

  With several processes JAX's preemption service handles SIGTERM, because all
  of them must stop after the same step.
  """
  if jax.process_count() > 1:
    return (signal.SIGINT,)
  return (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def one_voice() -> Iterator[None]:
  """Silence standard output inside the block, except in the first process."""
  if not first():
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
      yield
  else:
    yield


def in_turn(name: str, work: Callable[[], T]) -> T:
  """Do work in the first process, then in all others at the same time.

  On a shared disk the others find the files that the first one made. Without
  a shared disk each process makes them itself.

  Args:
    name: identifies the work; must be used once in a run.
    work: called once in every process.

  Returns:
    The result of this process.

  Raises:
    OSError: another process failed; its own output says why.
  """
  if jax.process_count() == 1:
    return work()
  from orbax.checkpoint import multihost

  # A barrier over devices times out after 30 s on CPUs.
  wait = multihost.get_barrier_sync_fn()
  error: BaseException | None = None
  for turn in (False, True):
    if first() != turn:
      try:
        result = work()
      except (OSError, ValueError, ImportError, SystemExit) as raised:
        error = raised
    wait(key=f"{name}_{int(turn)}", timeout_ms=_PATIENCE_S * 1000)
  failed = multihost_utils.process_allgather(np.array(error is not None))
  if error is not None:
    raise error
  if failed.any():
    raise OSError(
      f"process {', '.join(map(str, np.flatnonzero(failed)))} failed; what it "
      "printed says why"
    )
  return result


def agreed(stopping: Callable[[], bool]) -> Callable[[], bool]:
  """Return a function that is true in all processes after the same step.

  Args:
    stopping: whether this process was asked to stop.

  Returns:
    The function; every process must call it exactly once per step.
  """
  if jax.process_count() == 1:
    return stopping
  steps = itertools.count()

  def stop() -> bool:
    if stopping():
      os.kill(os.getpid(), signal.SIGTERM)
    return bool(multihost_utils.reached_preemption_sync_point(next(steps)))

  return stop
