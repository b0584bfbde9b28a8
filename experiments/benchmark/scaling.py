"""How a training step grows, beside the law that one would expect.

python -m experiments.benchmark scaling --out=runs/s.json --plot=runs/s.png
python -m experiments.benchmark scaling --drawn=runs/s.json --plot=runs/s.png
"""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from chexjax import ops
from chexjax.commands.options import parse
from chexjax.io import read_object
from experiments.benchmark import clock, frame, scaling_figure, subject
from experiments.benchmark.scaling_figure import (
  CONSTANT,
  LINE,
  PROPORTIONAL,
  SQUARE,
  Series,
)

_FAILED = "failed with"  # how the note of a row begins that has no figure


@dataclasses.dataclass(frozen=True)
class Options:
  """Measures one step of stage 3 at several sizes, each in its own process."""

  preset: Literal["phantom", "paper", "released"] = "released"
  """Configuration whose model is measured."""
  image_sizes: tuple[int, ...] = (256, 512, 1024)
  """Sides of the images, in pixels; the first is that of the other series."""
  num_classes: tuple[int, ...] = (2, 14, 40)
  """Findings; the other series have 14, or the last."""
  batch_sizes: tuple[int, ...] = (2, 4, 8)
  """Images a step; the first is that of the other series."""
  devices: tuple[int, ...] = (1, 2, 4, 8)
  """Simulated CPU devices; the largest batch is divided among them."""
  proposals: tuple[int, ...] = (99, 395, 1580)
  """Boxes that are pooled; only RoIAlign is measured."""
  repeats: int = 2
  """Repeats of every row."""
  plot: pathlib.Path | None = None
  """PNG file to draw."""
  drawn: pathlib.Path | None = None
  """JSON file of an earlier --out, which --plot draws; nothing is measured."""
  out: pathlib.Path | None = None
  """JSON file to write."""
  toy: bool = False
  """As small as it goes, to see that it runs."""


class Point(NamedTuple):
  """What one process measures."""

  size: int
  findings: int
  batch: int
  devices: int


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status, 1 if a size failed."""
  options = parse(Options, argv, prog="benchmark scaling")
  if options.drawn is not None:
    return _draw_again(options.drawn, options.plot)
  if options.toy:
    options = dataclasses.replace(
      options, image_sizes=(subject.TOY_SIZE,), num_classes=(2,),
      batch_sizes=(2,), devices=(1,), proposals=(4, 16),
    )  # fmt: skip
  found = measure(options)
  rows = [row for series in found for row in series.rows]
  frame.finish(frame.record("scaling", rows, packages=()), options.out)
  if options.plot is not None:
    scaling_figure.draw(found, options.plot)
    print(f"drawn to {options.plot}")
  return int(any(row.note.startswith(_FAILED) for row in rows))


def _draw_again(rows: pathlib.Path, plot: pathlib.Path | None) -> int:
  """Draws what was measured before; returns the exit status."""
  if plot is None:
    print("error: --drawn needs --plot=FILE", file=sys.stderr)
    return 2
  try:
    stored = read_object(rows, "rows")["rows"]
    scaling_figure.draw(scaling_figure.series_of(stored), plot)
  except (OSError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  print(f"drawn to {plot}")
  return 0


def measure(options: Options) -> list[Series]:
  """Returns all series; equal points are measured once."""
  size, batch = options.image_sizes[0], options.batch_sizes[0]
  wanted = options.num_classes
  findings = 14 if 14 in wanted else wanted[-1]
  most = options.batch_sizes[-1]
  plans = (
    ("image side", SQUARE, options.image_sizes,
     [Point(s, findings, batch, 1) for s in options.image_sizes]),
    ("findings", LINE, options.num_classes,
     [Point(size, k, batch, 1) for k in options.num_classes]),
    ("batch", PROPORTIONAL, options.batch_sizes,
     [Point(size, findings, b, 1) for b in options.batch_sizes]),
    ("devices that share the same cores", CONSTANT, options.devices,
     [Point(size, findings, most, d) for d in options.devices]),
  )  # fmt: skip
  known: dict[Point, tuple[frame.Row, ...]] = {}
  result = []
  for name, law, places, points in plans:
    rows = []
    for place, point in zip(places, points):
      if point not in known:
        known[point] = _step(point, options)
      rows += [
        dataclasses.replace(row, name=f"{name} {place}: {row.name}")
        for row in known[point]
      ]
    result.append(Series(name, law, places, _compared(rows, law)))
  return [*result, _proposals(options)]


def _step(point: Point, options: Options) -> tuple[frame.Row, ...]:
  """Measures a step in a process of its own: memory and devices are fresh."""
  flags = os.environ.get("XLA_FLAGS", "")
  flags = re.sub(r"--xla_force_host_platform_device_count=\d+", "", flags)
  flags += f" --xla_force_host_platform_device_count={point.devices}"
  with tempfile.TemporaryDirectory() as folder:
    out = pathlib.Path(folder) / "rows.json"
    command = [
      sys.executable, "-m", "experiments.benchmark", "train",
      "--presets", options.preset, "--stages", "3", "--no_torch",
      f"--image_size={point.size}", f"--num_classes={point.findings}",
      "--batch_sizes", str(point.batch), f"--repeats={options.repeats}",
      f"--out={out}", *(["--toy"] if options.toy else []),
    ]  # fmt: skip
    done = subprocess.run(
      command,
      env=os.environ | {"XLA_FLAGS": flags},
      stdout=subprocess.DEVNULL,
      check=False,
    )
    if done.returncode:
      print(f"failed: {point}, see above", file=sys.stderr, flush=True)
      note = f"{_FAILED} {done.returncode}"
      return (
        frame.Row("step", "ms", note=note),
        frame.Row("memory planned", "MiB", note=note),
      )
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
  print(f"measured {point}", file=sys.stderr, flush=True)
  time = next(r for r in rows if " stage 3, " in r["name"])
  # There is none where the step does not fit the memory.
  plans = [r["values"] for r in rows if r["name"].endswith(": buffers")]
  return (
    frame.Row("step", "ms", tuple(time["values"]), time["note"]),
    frame.Row("memory planned", "MiB", tuple(plans[0] if plans else ())),
  )


def _proposals(options: Options) -> Series:
  """Measures RoIAlign of any boxes, forward and gradient."""
  side, channels = (8, 3) if options.toy else (128, 128)
  rng = np.random.default_rng(0)
  features = rng.standard_normal((side, side, channels), np.float32)
  gradient = jax.jit(
    jax.grad(lambda x, boxes: (ops.roi_align(x, boxes) ** 2).sum())
  )
  runs = {}
  for count in options.proposals:
    corners = rng.uniform(0, 4 * side, (2, count, 2))
    boxes = jnp.asarray(np.concatenate([corners.min(0), corners.max(0)], -1))
    runs[f"proposals {count}: RoIAlign with gradient"] = lambda boxes=boxes: (
      gradient(features, boxes)
    )
  rows = clock.compare(runs, repeats=max(5, options.repeats))
  rows = _compared(rows, PROPORTIONAL)
  return Series("proposals", PROPORTIONAL, options.proposals, rows)


def _compared(rows: list[frame.Row], law: str) -> list[frame.Row]:
  """Notes how each figure compares with the first of its kind."""
  result: list[frame.Row] = []
  first: dict[str, float] = {}
  for row in rows:
    value = row.as_json()["median"]
    if value is not None:
      base = first.setdefault(row.unit, value)
      note = f"{value / base:.2f} times the first"
      note += f"; law: {law}" if row.unit == "ms" else ""
      row = dataclasses.replace(row, note=note)
    result.append(row)
  return result
