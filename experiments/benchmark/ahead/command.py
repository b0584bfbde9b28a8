"""The command `ahead`: compiles each program and writes what it costs."""

import contextlib
import dataclasses
import datetime
import json
import pathlib
import sys
import time
from typing import Any, Literal

import jax

from chexjax.commands.options import parse
from chexjax.io import write_json, write_text
from chexjax.training.config import Config
from experiments.benchmark import subject
from experiments.benchmark.ahead import program, roofline, steps, table
from experiments.benchmark.ahead import topology as topologies
from experiments.benchmark.ahead.topology import Chip

# Share of a chip's memory that a program may plan to use: the runtime and the
# arrays that wait for the next step need the rest.
_SHARE = 0.9


@dataclasses.dataclass(frozen=True)
class Options:
  """Compiles steps and predictions for chips that are not at hand."""

  topology: str = "h100:1"
  """Devices: h100:1, h100:8, v5e:2x2, v5e:4x4, v5p:2x2x1, v6e:2x2 and so on."""
  stages: tuple[Literal["1", "2", "3", "predict"], ...] = (
    "1",
    "2",
    "3",
    "predict",
  )
  """Programs: the train steps of stages, and predict, on one device."""
  precision: tuple[Literal["float32", "tf32", "bfloat16"], ...] = ("bfloat16",)
  """Types of the convolutions, one program for each."""
  batch: tuple[int, ...] = (8,)
  """Images of each device, one program for each."""
  remat: bool = False
  """Whether the gradient computes the DenseNet's blocks again."""
  largest: bool = False
  """Whether the largest batch that fits is sought too: from the memory of two
  sizes, then checked; three programs instead of one."""
  preset: Literal["phantom", "paper", "released"] = "paper"
  """Configuration whose model is compiled."""
  image_size: int = 512
  """Side of the images, in pixels."""
  devices: int | None = None
  """Only the first devices of the topology."""
  xla: tuple[str, ...] = ()
  """Options of the compiler, NAME=VALUE."""
  top: int = 0
  """Instructions to print, those that take longest."""
  keep_text: bool = False
  """Whether the compiled program's text is written beside the JSON."""
  tag: str = ""
  """Put at the end of the names of programs and files."""
  out: pathlib.Path = pathlib.Path("runs/ahead")
  """Folder: a JSON file for each program, and table.md of all in it."""
  toy: bool = False
  """As small as it goes, to see that it runs."""


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status, 1 if one failed."""
  options = parse(Options, argv, prog="benchmark ahead")
  topologies.be_quiet()
  try:
    chip = topologies.chip_of(options.topology)
    devices = topologies.devices_of(options.topology)[: options.devices]
  except (ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  options.out.mkdir(parents=True, exist_ok=True)
  failed = False
  for precision in options.precision:
    for step in options.stages:
      for batch in options.batch:
        record = _measure(options, chip, devices, precision, step, batch)
        failed |= "error" in record
        write_json(options.out / f"{record['name']}.json", record)
        print(_text(record), flush=True)
  records = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(options.out.glob("*.json"))
  ]
  write_text(options.out / "table.md", table.programs(records))
  print(f"table in {options.out / 'table.md'}; nothing was run on a device")
  return int(failed)


def _config(options: Options, precision: Any) -> Config:
  config = subject.configuration(
    options.preset, toy=options.toy, size=options.image_size
  )
  return dataclasses.replace(config, precision=precision, remat=options.remat)


def _measure(options, chip: Chip, devices, precision, step, batch):
  """Compiles one program; returns its record, with an error if it fails."""
  name = "_".join(
    [
      options.topology.replace(":", "-"),
      step if step == steps.PREDICT else f"stage{step}",
      precision,
      f"batch{batch}",
      *(["remat"] if options.remat else []),
      *([options.tag] if options.tag else []),
    ]
  )
  record: dict[str, Any] = {
    "name": name,
    "jax": jax.__version__,
    "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    "chip": devices[0].device_kind,
    "options": dataclasses.asdict(options) | {"out": str(options.out)},
  }
  config = _config(options, precision)
  try:
    record |= _compiled(options, chip, config, step, devices, batch, name)
    if options.largest:
      record["most"] = _most(options, chip, config, step, devices, record)
  except jax.errors.JaxRuntimeError as error:
    record["error"] = " ".join(str(error).split())[:3000]
  return record


def _compiled(options, chip, config, step, devices, batch, name):
  lowered = steps.lower(config, step, devices, batch)
  began, spent = time.monotonic(), time.process_time()
  compiled = lowered.program.compile(_settings(options))
  seconds = time.monotonic() - began
  text = compiled.as_text()
  if options.keep_text:
    write_text(options.out / f"{name}.hlo", text)
  each = lowered.devices
  return {
    "images": lowered.images,
    "devices": each,
    "trace_seconds": lowered.seconds,
    "compile_seconds": seconds,
    "compile_cpu_seconds": time.process_time() - spent,
    "memory": _memory(compiled.memory_analysis(), chip),
    "least": {
      "flops": lowered.least.flops / each,
      "bytes": lowered.least.bytes / each,
    },
    **roofline.summary(program.read(text), chip, top=max(options.top, 20)),
  }


def _settings(options) -> dict[str, Any] | None:
  """Returns the compiler's options; numbers as numbers, which some must be."""
  return {
    name: _number(value)
    for name, value in (item.split("=", 1) for item in options.xla)
  } or None


def _number(text):
  for kind in (int, float):
    with contextlib.suppress(ValueError):
      return kind(text)
  return text


def _memory(plan, chip) -> dict[str, Any]:
  """Returns the bytes that a program holds on each device while it runs."""
  parts = {
    part: getattr(plan, f"{part}_size_in_bytes")
    for part in ("argument", "output", "alias", "temp", "generated_code")
  }
  # A result that takes the place of an argument needs none of its own.
  total = sum(parts.values()) - 2 * parts["alias"]
  fits = total <= _SHARE * chip.memory
  return {"bytes": total, "chip": chip.memory, "fits": fits, **parts}


def _most(options, chip, config, step, devices, record) -> dict[str, Any]:
  """Seeks the largest batch of each device that fits its memory.

  The memory is taken to grow by a straight line between two sizes. The batch
  that follows is compiled, and lessened by an eighth until it fits.
  """
  first = record["images"] // record["devices"]

  def memory(batch):
    program = steps.lower(config, step, devices, batch).program
    found = program.compile(_settings(options))
    return _memory(found.memory_analysis(), chip)["bytes"]

  small, large = record["memory"]["bytes"], memory(2 * first)
  slope = (large - small) / first
  limit = _SHARE * chip.memory
  batch = int(first + (limit - small) / slope) if slope > 0 else first
  batch = batch // 8 * 8 or batch
  checked: list[dict[str, float]] = []
  while batch > 0:
    used = memory(batch)
    checked.append({"images": batch, "bytes": used})
    if used <= limit:
      break
    batch = min(batch - 1, batch * 7 // 8)
  return {"images": batch, "bytes": checked[-1]["bytes"], "checked": checked}


def _text(record) -> str:
  """Returns what is printed of a program."""
  if "error" in record:
    return f"{record['name']}: {record['error'][:600]}"
  lines = [table.programs([record]), table.parts([record])]
  lines += [
    f"{1e3 * each['seconds']:8.2f} ms x{each['times']} "
    f"{each['bytes'] / 1e9:7.2f} GB {each['flops'] / 1e9:8.1f} GFLOP "
    f"{each['name']} {each['shape']} {each['scope'][-90:]}"
    for each in record["longest"][: record["options"]["top"]]
  ]
  return "\n".join(lines)
