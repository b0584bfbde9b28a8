"""A step that is compiled before it first runs, aloud."""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import jax

from chexjax import messages
from chexjax.runtime import compile_cache


def aloud(step: Any, name: str, recipe: str) -> Callable[..., Any]:
  """Compiles a jitted function at its first call; says so, and how long.

  All later calls must have arguments of the same shapes and shardings. What
  tracing and compiling leave in memory is given back before the first run,
  which then needs less at once: docs/performance.md.

  Args:
    step: of `jax.jit`.
    name: for the message.
    recipe: see `compile_cache.compiled`.
  """

  def make(*what):
    messages.tell(f"{name}: compiling, or loading what was compiled")
    began = time.monotonic()
    program = compile_cache.compiled(*what)
    seconds = time.monotonic() - began
    messages.tell(f"{name}: ready after {seconds:.0f} s")
    # After a short compilation there is little to give, and all other
    # functions would be traced anew.
    if seconds > 20:
      give_back_memory()
    return program

  return compile_cache.at_first_call(step, recipe, make)


def give_back_memory() -> None:
  """Drops what tracing and compiling have left, to the system where it can."""
  jax.clear_caches()
  gc.collect()
  if sys.platform == "linux":
    # glibc keeps what was freed; another C library may not know the call.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
      trim(0)
