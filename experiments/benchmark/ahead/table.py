"""Markdown tables of compiled programs."""

from collections.abc import Iterable, Mapping
from typing import Any

_GIB = 2**30
_COLUMNS = (
  "program", "compiles, s (CPU)", "GiB a device", "most images", "TFLOP",
  "GB (least)", "ms: products, memory, estimate", "images/s", "all-reduces, MB",
  "others, host calls",
)  # fmt: skip
Record = Mapping[str, Any]


def programs(records: Iterable[Record]) -> str:
  """Returns a table with a row for each program; all figures of one device."""
  rows = [_row(record) for record in records]
  head = [_COLUMNS, ["---"] + ["---:"] * (len(_COLUMNS) - 1)]
  return "".join(f"| {' | '.join(row)} |\n" for row in [*head, *rows])


def parts(records: Iterable[Record], *, least: float = 0.01) -> str:
  """Returns a table of milliseconds by part, a column for each program.

  Args:
    records: of programs of one chip.
    least: share of some program that a part must have.
  """
  compiled = [record for record in records if "seconds" in record]
  names: dict[str, float] = {}
  for record in compiled:
    for name, row in record["parts"].items():
      share = row["seconds"] / record["seconds"]
      names[name] = max(names.get(name, 0), share)
  kept = sorted(
    (n for n in names if names[n] >= least), key=lambda n: -names[n]
  )
  lines = [["ms of the estimate", *(record["name"] for record in compiled)]]
  lines.append(["---"] + ["---:"] * len(compiled))
  for name in kept:
    cells = [
      f"{1e3 * record['parts'][name]['seconds']:.2f}"
      if name in record["parts"]
      else ""
      for record in compiled
    ]
    lines.append([name, *cells])
  return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rate(record: Record) -> float:
  """Returns images a second of all devices, by the estimate."""
  return float(record["images"] / record["seconds"])


def _row(record):
  if "error" in record:
    return [record["name"], f"no: {record['error'][:160]}", *[""] * 8]
  memory = record["memory"]
  room = "" if memory["fits"] else ", **does not fit**"
  sums = record["collectives"].get("all-reduce", {"count": 0, "bytes": 0.0})
  others = [
    f"{found['count']} {kind}, {found['bytes'] / 1e6:.1f} MB"
    for kind, found in record["collectives"].items()
    if kind != "all-reduce"
  ]
  others += record["host_calls"]
  most = record.get("most", {})
  each = record["devices"]
  speed = f"{rate(record) / each:.0f}"
  return [
    record["name"],
    f"{record['compile_seconds']:.0f} ({record['compile_cpu_seconds']:.0f})",
    f"{memory['bytes'] / _GIB:.2f} of {memory['chip'] / _GIB:.0f}{room}",
    f"{most['images']} ({most['bytes'] / _GIB:.1f} GiB)" if most else "",
    f"{sum(record['flops'].values()) / 1e12:.2f}",
    f"{record['bytes'] / 1e9:.1f} ({record['least']['bytes'] / 1e9:.1f})",
    f"{1e3 * record['seconds_of_products']:.1f}, "
    f"{1e3 * record['seconds_of_memory']:.1f}, {1e3 * record['seconds']:.1f}",
    speed,
    f"{sums['count']}, {sums['bytes'] / 1e6:.1f}" if sums["count"] else "none",
    "; ".join(others) or "none",
  ]
