"""Milliseconds a call, beside the machine's own rates, measured in turns."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp

from experiments.benchmark import frame

Precision = Literal["float32", "tf32", "bfloat16"]
MATMUL, COPY = "matrix product", "read and write of memory"


def set_precision(precision: Precision) -> Literal["float32", "bfloat16"]:
  """Sets how float32 is multiplied, as in a run of that precision.

  Returns:
    The type to compute in.
  """
  mode = "tensorfloat32" if precision == "tf32" else "highest"
  jax.config.update("jax_default_matmul_precision", mode)
  return type_of(precision)


def type_of(precision: Precision) -> Literal["float32", "bfloat16"]:
  """Returns the type that a precision computes in."""
  return "bfloat16" if precision == "bfloat16" else "float32"


def timed(
  run: Callable[[], Any], *, least: float = 0.05
) -> Callable[[], float]:
  """Returns what measures `run`: milliseconds a call, until its results stand.

  Args:
    run: whose JAX results are waited for.
    least: seconds that a measurement takes at least; quick calls are repeated.
  """

  def measure() -> float:
    count, began = 0, time.perf_counter()
    while not count or time.perf_counter() - began < least:
      jax.block_until_ready(run())
      count += 1
    return 1000 * (time.perf_counter() - began) / count

  return measure


def compare(
  runs: Mapping[str, Callable[[], Any]],
  *,
  repeats: int,
  notes: Mapping[str, str] | None = None,
) -> list[frame.Row]:
  """Measures calls in turns, a warm-up before; returns a row each."""
  measures = {name: timed(run) for name, run in runs.items()}
  found = frame.in_turns(measures, repeats=repeats)
  notes = notes or {}
  return [
    frame.Row(name, "ms", tuple(values), notes.get(name, ""))
    for name, values in found.items()
  ]


def machine_runs(*, size: int, dtype: Any) -> dict[str, Callable[[], Any]]:
  """Returns the machine's yardsticks, for `compare`.

  Args:
    size: side of the matrices; memory is that of eight of them in float32.
    dtype: of the product.
  """
  x = jnp.ones((size, size), dtype)
  product = jax.jit(jnp.matmul)
  memory = [jnp.ones((8, size, size), jnp.float32)]
  # Donated, so that no fresh page is part of the figure.
  add = jax.jit(lambda x: x + 1, donate_argnums=0)

  def copy():
    memory[0] = add(memory[0])
    return memory[0]

  return {MATMUL: lambda: product(x, x), COPY: copy}


def as_rates(rows: list[frame.Row], *, size: int) -> list[frame.Row]:
  """Turns the yardsticks' times into GFLOP/s and GB/s, other rows as is."""
  result = []
  for row in rows:
    if row.name == MATMUL:
      values = tuple(2 * size**3 / ms / 1e6 for ms in row.values)
      row = frame.Row(f"{MATMUL} of {size}", "GFLOP/s", values)
    elif row.name == COPY:
      values = tuple(2 * 32 * size**2 / ms / 1e6 for ms in row.values)
      row = frame.Row(COPY, "GB/s", values)
    result.append(row)
  return result
