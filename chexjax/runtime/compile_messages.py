"""A step that reports when it is compiled and how long that took."""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import jax

from chexjax.progress import Progress
from chexjax.runtime import compile_cache


def aloud(step: Any, name: str, recipe: str) -> Callable[..., Any]:
  """Compile a jitted function at its first call and report the time.

  All later calls must have arguments of the same shapes and shardings. Memory
  left over from a long compilation is released before the first run, which
  lowers the peak: docs/performance.md.

  Args:
    step: result of `jax.jit`.
    name: what the messages call it.
    recipe: see `compile_cache.compiled`.

  Returns:
    A function with the arguments and results of `step`.
  """

  def make(*what: Any) -> compile_cache.Program:
    began = time.monotonic()
    with Progress(f"compiling {name}"):
      program = compile_cache.compiled(*what)
    seconds = time.monotonic() - began
    # Clearing JAX's caches makes every other function trace again. After a
    # short compilation there is too little memory to win for that.
    if seconds > 20:
      give_back_memory()
    return program

  return compile_cache.at_first_call(step, recipe, make)


def told(
  name: str,
) -> Callable[[Any, tuple[Any, ...], str], compile_cache.Program]:
  """Return what compiles as `compile_cache.compiled`, and tells the time.

  Args:
    name: what the messages call the program.
  """

  def make(*what: Any) -> compile_cache.Program:
    with Progress(f"compiling {name}"):
      return compile_cache.compiled(*what)

  return make


def give_back_memory() -> None:
  """Free what tracing and compiling have left in memory.

  On Linux with glibc the freed memory is returned to the system too.
  """
  jax.clear_caches()
  gc.collect()
  if sys.platform == "linux":
    # glibc keeps freed memory until asked; other C libraries lack the call.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
      trim(0)
