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

# Building records may take hours, while the other processes wait.
_PATIENCE_S = 24 * 3600


def join(
  coordinator: str | None,
  num_processes: int | None = None,
  process_id: int | None = None,
) -> None:
  """Join the run's other processes; must come before JAX is used.

  Args:
    coordinator: `HOST:PORT` of the first process; `auto` leaves all to JAX,
      which knows TPU pods, SLURM, Open MPI and Kubernetes. None: the process
      is alone.
    num_processes: of the run, where the coordinator does not know.
    process_id: this process's number, where the coordinator does not know.

  Raises:
    ValueError: the others were not found; says what JAX says.
  """
  if coordinator is None:
    return
  try:
    jax.distributed.initialize(
      None if coordinator == "auto" else coordinator,
      num_processes,
      process_id,
      # The first process scores while the others are done.
      shutdown_timeout_seconds=_PATIENCE_S,
    )
  except (RuntimeError, ValueError) as error:
    raise ValueError(f"--coordinator={coordinator}: {error}") from error


def first() -> bool:
  """Returns whether this is the process that writes."""
  return jax.process_index() == 0


def signals() -> tuple[signal.Signals, ...]:
  """Returns the signals that a run answers itself.

  Of several processes, SIGTERM is JAX's: its preemption service tells all of
  them the step after which to stop.
  """
  if jax.process_count() > 1:
    return (signal.SIGINT,)
  return (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def one_voice() -> Iterator[None]:
  """Lets only the first process write to standard output inside."""
  if not first():
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
      yield
  else:
    yield


def in_turn(name: str, work: Callable[[], T]) -> T:
  """Does work in the first process, then in all others at once.

  What the first leaves on a shared disk, the others find. Without a shared
  disk each does it for itself.

  Args:
    name: of this piece of work, used once in a run.
    work: called once in every process.

  Returns:
    This process's result.

  Raises:
    OSError: another process failed; its own output says why.
  """
  if jax.process_count() == 1:
    return work()
  from orbax.checkpoint import multihost

  # Not a barrier of devices: on CPUs those give up after 30 s.
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
  """Returns what tells all processes after the same step to stop.

  Must be called once a step in every process.
  """
  if jax.process_count() == 1:
    return stopping
  steps = itertools.count()

  def stop():
    if stopping():
      os.kill(os.getpid(), signal.SIGTERM)
    return bool(multihost_utils.reached_preemption_sync_point(next(steps)))

  return stop
