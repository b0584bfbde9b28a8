"""The longest operations of a compiled function, from JAX's profiler."""

import collections
import pathlib
import re
import tempfile
from collections.abc import Callable
from typing import Any

import jax

from experiments.benchmark import frame


def top_operations(
  name: str, run: Callable[[], Any], *, count: int = 10
) -> list[frame.Row]:
  """Returns a row for each of the longest kinds of operation of one call.

  Operations that differ in their number alone are added up. On a CPU the
  threads of an operation are added up too.

  Args:
    name: of what is profiled.
    run: whose results are waited for.
    count: rows at most.
  """
  jax.block_until_ready(run())
  with tempfile.TemporaryDirectory() as folder:
    with jax.profiler.trace(folder):
      jax.block_until_ready(run())
    spent = _durations(pathlib.Path(folder))
  total = sum(spent.values())
  return [
    frame.Row(
      f"{name}: operation {place}",
      "ms",
      (nanoseconds / 1e6,),
      f"{kind}, {100 * nanoseconds / total:.0f} % of all",
    )
    for place, (kind, nanoseconds) in enumerate(spent.most_common(count), 1)
  ]


def _durations(folder: pathlib.Path) -> collections.Counter:
  """Returns the nanoseconds of each kind of operation in a trace."""
  spent: collections.Counter = collections.Counter()
  for path in folder.rglob("*.xplane.pb"):
    for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
      for line in plane.lines:
        for event in line.events:
          operation = dict(event.stats).get("hlo_op")
          if operation is not None:
            kind = re.sub(r"[.\d]+$", "", str(operation))
            spent[kind] += event.duration_ns
  return spent
