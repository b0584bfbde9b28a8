"""What every benchmark shares: repeats, spread, and where it was measured."""

import dataclasses
import datetime
import importlib.metadata
import math
import os
import pathlib
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from chexjax.io import write_json
from chexjax.runtime import provenance

Figure = TypeVar("Figure")


@dataclasses.dataclass(frozen=True)
class Row:
  """A figure of several repeats.

  Attributes:
    name: what was measured.
    unit: for example `images/s`.
    values: one a repeat; empty where it could not be measured.
    note: why it is empty, or what it means.
  """

  name: str
  unit: str
  values: tuple[float, ...] = ()
  note: str = ""

  def as_json(self) -> dict:
    """Returns the row with its median and range."""
    values = self.values
    return dataclasses.asdict(self) | {
      "median": statistics.median(values) if values else None,
      "low": min(values, default=None),
      "high": max(values, default=None),
    }


class Rate(NamedTuple):
  """How fast something went.

  Attributes:
    per_second: items a second by the clock.
    cpu_ms: milliseconds of CPU an item, of this process and its children; it
      hardly changes when other programs take the cores. NaN where the system
      does not tell.
  """

  per_second: float
  cpu_ms: float


def in_turns(
  runs: Mapping[str, Callable[[], Figure]], *, repeats: int, warm_up: int = 1
) -> dict[str, list[Figure]]:
  """Measures several things one after the other, again and again.

  In turns, so that what else the machine does falls on all of them alike.

  Args:
    runs: name to a function that returns a figure.
    repeats: of every run.
    warm_up: turns before, not counted.

  Returns:
    Name to one figure a repeat.
  """
  turns = [
    {name: run() for name, run in runs.items()}
    for _ in range(warm_up + repeats)
  ]
  return {name: [t[name] for t in turns[warm_up:]] for name in runs}


def rate(handle: Callable[[], int]) -> Rate:
  """Measures a function that returns how many items it handled."""
  began, cpu = time.perf_counter(), _cpu_seconds()
  count = handle()
  seconds = time.perf_counter() - began
  return Rate(count / seconds, 1000 * (_cpu_seconds() - cpu) / count)


def rows(found: Mapping[str, list[Rate]], item: str) -> list[Row]:
  """Returns two rows a name: items a second, and CPU an item."""
  result = []
  for name, rates in found.items():
    speeds, costs = zip(*rates)
    result += [
      Row(name, f"{item}s/s", speeds),
      Row(name, f"CPU ms/{item}", costs),
    ]
  return result


def _cpu_seconds() -> float:
  """Returns the CPU time of this process and of its living descendants."""
  parents, ticks = {}, {}
  for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
    try:
      # The name, in brackets, may hold spaces.
      fields = path.read_text().rsplit(")", 1)[1].split()
    except OSError:
      continue  # It has ended.
    pid = int(path.parent.name)
    parents[pid], ticks[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
  own = os.getpid()
  if own not in ticks:
    return math.nan

  def is_ours(pid: int) -> bool:
    while pid in parents and pid != own:
      pid = parents[pid]
    return pid == own

  return sum(t for p, t in ticks.items() if is_ours(p)) / os.sysconf(
    "SC_CLK_TCK"
  )


def record(benchmark: str, rows: list[Row], *, packages: tuple[str, ...]):
  """Returns rows and where they come from, ready for JSON.

  Args:
    benchmark: its name.
    rows: the figures.
    packages: whose versions matter here.
  """
  origin = provenance.collect()
  # Without the path of the file on this machine.
  origin["command"] = " ".join(
    ["python -m experiments.benchmark", *sys.argv[1:]]
  )
  for name in packages:
    try:
      origin["versions"][name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
      origin["versions"][name] = "not installed"
  return {
    **origin,
    "benchmark": benchmark,
    "date": datetime.date.today().isoformat(),
    "cpu": _cpu_name(),
    "cores": _cores(),
    # Above 1 a core, something else was running.
    "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    # Huge pages or not (see `chexjax.runtime.memory`).
    "glibc_tunables": os.environ.get("GLIBC_TUNABLES"),
    "rows": [row.as_json() for row in rows],
  }


def table(result: dict) -> str:
  """Returns a result as a Markdown table, with its command and machine."""
  lines = [
    f"`{result['command']}`, {result['cores']} CPU cores, {result['cpu']}, "
    f"load {result['load_average']}, {result['date']}",
    "",
    "| what | median | range | unit | note |",
    "| --- | ---: | --- | --- | --- |",
  ]
  for row in result["rows"]:
    shown = ["-", "-"]
    if row["values"]:
      shown = [f"{row['median']:.4g}", f"{row['low']:.4g}-{row['high']:.4g}"]
    cells = [row["name"], *shown, row["unit"], row["note"]]
    lines.append(f"| {' | '.join(cells)} |")
  return "\n".join(lines)


def finish(result: dict, out: pathlib.Path | None) -> None:
  """Prints the table and writes the JSON, if it is asked for."""
  print(table(result))
  if out is not None:
    save(result, out)
    print(f"written to {out}")


def save(result: dict, out: pathlib.Path) -> None:
  """Writes the JSON, whole or not at all."""
  out.parent.mkdir(parents=True, exist_ok=True)
  write_json(out, result)


def _cores() -> int:
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def _cpu_name() -> str:
  info = pathlib.Path("/proc/cpuinfo")
  if info.is_file():
    for line in info.read_text().splitlines():
      if line.startswith("model name"):
        return line.split(":", 1)[1].strip()
  return platform.processor() or platform.machine()
