"""What every benchmark shares: repeats, spread, and where it was measured."""

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import time
from collections.abc import Callable, Mapping

from experiments import provenance


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


def in_turns(
  runs: Mapping[str, Callable[[], float]], *, repeats: int, warm_up: int = 1
) -> dict[str, tuple[float, ...]]:
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
  return {name: tuple(t[name] for t in turns[warm_up:]) for name in runs}


def rate(handle: Callable[[], int]) -> float:
  """Returns the items a second of a function that returns their count."""
  began = time.perf_counter()
  count = handle()
  return count / (time.perf_counter() - began)


def record(benchmark: str, rows: list[Row], *, packages: tuple[str, ...]):
  """Returns rows and where they come from, ready for JSON.

  Args:
    benchmark: its name.
    rows: the figures.
    packages: whose versions matter here.
  """
  origin = provenance.collect()
  for name in packages:
    try:
      origin["versions"][name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
      origin["versions"][name] = "not installed"
  return {
    "benchmark": benchmark,
    "date": datetime.date.today().isoformat(),
    "cpu": _cpu_name(),
    "cores": _cores(),
    # Above 1 a core, something else was running.
    "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    **origin,
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
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = out.with_name(f".{out.name}.partial")
    scratch.write_text(json.dumps(result, indent=2) + "\n")
    scratch.replace(out)
    print(f"written to {out}")


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
