"""A training step of each stage, beside the floor that its work implies.

python -m experiments.benchmark train --stages 3 --batch_sizes 2
"""

import dataclasses
import os
import pathlib
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.commands.options import parse
from chexjax.runtime import compile_cache, compile_messages, operation_count
from chexjax.runtime.cache_home import cache_home
from chexjax.runtime.sharding import make_mesh, replicated, shard_batch
from chexjax.training import setup
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step
from chexjax.types import Batch
from experiments.benchmark import clock, frame, model, subject
from experiments.benchmark.operations import top_operations

_MIB = 2**20


@dataclasses.dataclass(frozen=True)
class Options:
  """Measures one step: augmentation, gradient, optimizer."""

  presets: tuple[Literal["phantom", "paper", "released"], ...] = ("released",)
  """Configurations whose steps are measured."""
  stages: tuple[int, ...] = (1, 2, 3)
  """Stages; memory is that of the process so far, so ask for one alone."""
  batch_sizes: tuple[int, ...] = (2,)
  """Images a step, rising; it ends at the first that does not fit."""
  image_size: int = 512
  """Side of the images, in pixels."""
  num_classes: int = 14
  """Findings."""
  precision: clock.Precision = "float32"
  """How convolutions are multiplied; on a CPU tf32 is float32."""
  remat: bool = False
  """Whether the gradient computes the DenseNet's blocks again."""
  kernels: bool = True
  """Whether a single GPU norms and multiplies the FPN's map of bfloat16 in
  kernels of this package."""
  torch: bool = True
  """Whether torch's gradient of both backbones is measured beside it."""
  cache_dir: pathlib.Path | None = None
  """Folder of compiled steps; without it every step is compiled."""
  profile: bool = False
  """Whether the step's ten longest operations are listed too."""
  matrix: int = 2048
  """Side of the matrices that the machine's rates are measured with."""
  repeats: int = 5
  """Repeats of every row."""
  out: pathlib.Path | None = None
  """JSON file to write."""
  toy: bool = False
  """As small as it goes, to see that it runs."""


class Step(NamedTuple):
  """A compiled step.

  Attributes:
    run: does the next step and returns its metrics.
    compiled: with the compiler's memory plan.
    least: counts the operations and bytes of its products.
    seconds: that tracing and compiling took.
  """

  run: Any
  compiled: Any
  least: Callable[[], operation_count.Work]
  seconds: float


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = parse(Options, argv, prog="benchmark train")
  if options.toy:
    options = dataclasses.replace(
      options, image_size=subject.TOY_SIZE, num_classes=2, matrix=64, repeats=2
    )
  if options.cache_dir is not None:
    folder = str(cache_home(options.cache_dir))
    jax.config.update("jax_compilation_cache_dir", folder)
  rows: list[frame.Row] = []
  result: dict = {}
  for found in measure(options):
    rows += found
    result = frame.record("train", rows, packages=("torch",))
    if options.out is not None:
      frame.save(result, options.out)  # Lest it is cut short.
  frame.finish(result, options.out)
  return 0


def measure(options: Options) -> Iterator[list[frame.Row]]:
  """Yields each step's rows, measured in turns with its yardsticks."""
  clock.set_precision(options.precision)
  for preset in options.presets:
    config = subject.configuration(
      preset, toy=options.toy, size=options.image_size
    )
    config = dataclasses.replace(
      config,
      precision=options.precision,
      remat=options.remat,
      model=dataclasses.replace(config.model, kernels=options.kernels),
    )
    for stage in options.stages:
      for batch in options.batch_sizes:
        name = f"{preset} stage {stage}, {config.image_size} px, batch {batch}"
        try:
          yield _rows(name, config, stage, batch, options)
        except jax.errors.JaxRuntimeError as error:
          if "RESOURCE_EXHAUSTED" not in str(error):
            raise
          yield [frame.Row(name, "ms", note="does not fit the memory")]
          break


def build(config: Any, stage: int, batch: int, num_classes: int) -> Step:
  """Compiles a step on random weights and images, and runs it once."""
  mesh = make_mesh()
  network = setup.make_model(config, num_classes)
  size = config.image_size
  tx = setup.make_tx(config, stage, 1000, 1000)
  variables = subject.random_variables(network, jnp.zeros((1, size, size, 3)))
  state = jax.device_put(
    create_state(variables, tx, stage=stage), replicated(mesh)
  )
  examples = shard_batch(Batch(**subject.example(network, batch, size)), mesh)
  key = jax.device_put(jax.random.key(0), replicated(mesh))
  weights = jnp.full(num_classes, 0.9), jnp.full(num_classes, 0.1)
  step: Any = make_train_step(
    network,
    tx,
    mesh,
    stage=stage,
    beta_pos=weights[0],
    beta_neg=weights[1],
    cls_scale=getattr(config, f"stage{stage}").cls_scale,
    augment=lambda key, image: ops.augment(
      key, image, **dataclasses.asdict(config.augment)
    ),
  )
  began = time.perf_counter()
  args = state, examples, key
  program = compile_cache.compiled(
    step, args, repr((config, stage, num_classes))
  )
  seconds = time.perf_counter() - began
  shapes = jax.eval_shape(lambda *args: args, *args)
  held = [state]
  del variables, state, args
  compile_messages.give_back_memory()

  def run():
    held[0], metrics = program.run(held[0], examples, key)
    return metrics

  jax.block_until_ready(run())

  def least():
    return operation_count.count(step.trace(*shapes).jaxpr.jaxpr)

  return Step(run, program.compiled, least, seconds)


def _rows(name, config, stage, batch, options) -> list[frame.Row]:
  """Measures one step."""
  step = build(config, stage, batch, options.num_classes)
  started, memory = _seconds_since_start(), _memory_rows(name, step.compiled)
  runs = clock.machine_runs(
    size=options.matrix, dtype=clock.type_of(config.precision)
  )
  runs[name] = step.run
  if options.torch:
    sized = model.Options(
      batch_size=batch,
      num_classes=options.num_classes,
      precision=options.precision,
    )
    theirs = model.torch_backbones(config, sized, gradient=True)
    runs |= {f"{k}, gradient": run for k, run in theirs.items()}
  rows = clock.compare(runs, repeats=options.repeats)
  rows = clock.as_rates(rows, size=options.matrix)
  times = next(row.values for row in rows if row.name == name)
  rates = tuple(1000 * batch / ms for ms in times)
  return [
    *rows,
    frame.Row(name, "images/s", rates),
    *floor_rows(name, times, rows[:2], step.least()),
    frame.Row(f"{name}: tracing and compiling", "s", (step.seconds,)),
    frame.Row(
      f"{name}: start of the program to first step",
      "s",
      () if started is None else (started,),
    ),
    *memory,
    *(top_operations(name, step.run) if options.profile else []),
  ]


def floor_rows(
  name: str,
  times: tuple[float, ...],
  rates: list[frame.Row],
  least: operation_count.Work,
) -> list[frame.Row]:
  """Returns counts, the floor that they imply, and what share is achieved.

  Args:
    name: of the step.
    times: its milliseconds, one a repeat.
    rates: GFLOP/s of a matrix product and GB/s of memory, same repeats.
    least: operations and bytes of the step's products.
  """
  floors = [
    max(least.flops / gflops, least.bytes / gigabytes) / 1e6
    for gflops, gigabytes in zip(rates[0].values, rates[1].values)
  ]
  shares = tuple(100 * floor / ms for floor, ms in zip(floors, times))
  note = "the longer of operations and memory at the machine's own rates"
  return [
    frame.Row(f"{name}: counted operations", "GFLOP", (least.flops / 1e9,)),
    frame.Row(f"{name}: counted memory", "GB", (least.bytes / 1e9,)),
    frame.Row(f"{name}: floor", "ms", tuple(floors), note),
    frame.Row(f"{name}: floor / step", "%", shares),
  ]


def _memory_rows(name, compiled) -> list[frame.Row]:
  """Before any yardstick takes memory of its own."""
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  peak *= 1 if sys.platform == "darwin" else 1024
  rows = [
    frame.Row(
      f"{name}: peak memory", "MiB", (peak / _MIB,), "of the process so far"
    )
  ]
  found = compiled.memory_analysis()
  if found is not None:
    held = found.argument_size_in_bytes + found.temp_size_in_bytes
    note = "what the compiler plans for one step, state and batch included"
    rows.append(frame.Row(f"{name}: buffers", "MiB", (held / _MIB,), note))
  device = jax.local_devices()[0].memory_stats() or {}
  if "peak_bytes_in_use" in device:
    peak = device["peak_bytes_in_use"] / _MIB
    rows.append(
      frame.Row(f"{name}: peak device memory", "MiB", (peak,), "so far")
    )
  return rows


def _seconds_since_start() -> float | None:
  """Returns the age of this process; None where the system does not tell."""
  stat, uptime = pathlib.Path("/proc/self/stat"), pathlib.Path("/proc/uptime")
  if not stat.exists() or not uptime.exists():
    return None
  # The name, in brackets, may hold spaces.
  ticks = int(stat.read_text().rsplit(")", 1)[1].split()[19])
  now = float(uptime.read_text().split()[0])
  return now - ticks / os.sysconf("SC_CLK_TCK")
