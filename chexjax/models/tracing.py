"""What a program has to know before it is traced: where and how it will run."""

import contextlib
import contextvars
from collections.abc import Iterator

import jax

from chexjax.models import _cpu

# The platform that what is traced is for, and how many of its devices.
_target: contextvars.ContextVar[tuple[str | None, int]] = (
  contextvars.ContextVar("target", default=(None, 1))
)


@contextlib.contextmanager
def for_platform(
  platform: str | None, *, devices: int = 1, tf32: bool = False
) -> Iterator[None]:
  """Trace programs for a platform; a context, or the decorator of a function.

  JAX says which platform a program is for when it lowers it, after it has been
  traced. Without this context, a program has the form that all platforms run.
  In it, a program for one CPU is laid out so that XLA compiles it well there,
  and is refused on another platform. Products of float32 are products of
  float32, which JAX's default is not on accelerators. In a program for an
  accelerator the proposals of a finding are scored where its maps are made.

  Args:
    platform: "cpu", "cuda", "tpu"; None for a program that several run.
    devices: that share the program.
    tf32: whether an accelerator may multiply float32 with about 10 bits: a GPU
      in TF32, a TPU in three passes of bfloat16. A CPU never does, and what
      places boxes or pixels is exact all the same.
  """
  precision = "tensorfloat32" if tf32 else "highest"
  here = _cpu.for_platform(platform, devices=devices)
  token = _target.set((platform, devices))
  try:
    with here, jax.default_matmul_precision(precision):
      yield
  finally:
    _target.reset(token)


def is_for_accelerator() -> bool:
  """Return whether what is traced now is known to be for a GPU or TPU."""
  return _target.get()[0] not in (None, "cpu")


def is_for_one_gpu() -> bool:
  """Return whether what is traced now is known to be for one GPU alone.

  A kernel of our own cannot be divided among several.
  """
  platform, devices = _target.get()
  return platform in ("cuda", "gpu") and devices == 1
