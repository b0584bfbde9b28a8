"""What a program has to know before it is traced: where it will run."""

import contextlib
from collections.abc import Iterator, Sequence

import jax

from chexjax.models import _cpu


@contextlib.contextmanager
def for_devices(devices: Sequence[jax.Device]) -> Iterator[None]:
  """Trace programs for these devices; decorates a function or is a context.

  JAX says which platform a program is for when it lowers it, after it has been
  traced. Without this context, a program has the form that all platforms run.
  In it, a program for one CPU is laid out so that XLA compiles it well there,
  and is refused on another platform.

  Args:
    devices: that will run the program, all of one platform. They need not be at
      hand: those of `jax.experimental.topologies` do.
  """
  with _cpu.for_devices(devices):
    yield
