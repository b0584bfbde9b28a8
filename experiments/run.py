"""The main job: train up to `--stage`, then write tables and a report.

python -m experiments.run --stage=3

Exit status: 0 done; 2 the input or the options are at fault, nothing was
trained; 3 a loss or gradient was NaN or infinite; 74 a file could not be
written or read, such as on a full disk; 75 stopped by SIGTERM or SIGINT. After
74 and 75 the same command goes on.
"""

import contextlib
import os
import shlex
import sys
import time
from typing import Any

from chexjax.commands.console import (
  IO_ERROR,
  run_command,
  set_up_process,
  status_of,
)
from chexjax.runtime import memory
from chexjax.training.config import Config
from chexjax.training.stopping import EXIT_STATUS, Stopped, Stopping
from experiments import flags


def main(argv: list[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = sys.argv[1:] if argv is None else argv
  config = flags.parse(options)
  if argv is None:
    memory.relaunch()
  set_up_process()
  # Here, so that a wrong option is answered before JAX is loaded.
  from chexjax.runtime import processes

  try:
    processes.join(config.coordinator, config.num_processes, config.process_id)
  except ValueError as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  stopping = Stopping()
  try:
    with stopping.handled(processes.signals()), processes.one_voice():
      return _train(config, stopping)
  except Stopped as stopped:
    command = shlex.join(["python", "-m", "experiments.run", *options])
    print(f"stopped: {stopped}. Go on with\n  {command}", flush=True)
    return EXIT_STATUS


def _train(config: Config, stopping: Stopping) -> int:
  began = time.monotonic()
  # Here, so that a wrong option is answered before orbax and grain are loaded.
  from chexjax.io import held
  from chexjax.runtime import processes, provenance
  from chexjax.training import (
    initial_weights,
    leaks,
    setup,
    workdir,
  )
  from chexjax.training.datasets import open_data
  from chexjax.training.stages import Run
  from chexjax.weights.variables import try_checkpoint

  try:
    setup.use_compile_cache(config)
    setup.check_batch(config)
    start = initial_weights.load(config)

    def open_all():
      if processes.first():
        workdir.check_places(config.workdir)
        workdir.check_options(config)
      dataset = open_data(config)
      if processes.first():
        # Now, so that a set with faults leaves no workdir that binds the next
        # command.
        workdir.store(config, provenance.collect())
        workdir.check_data(config, dataset)
        if config.data_dir is not None:
          folders = [config.data_dir, *config.more_data]
          leaks.warn(dataset, folders, config.workdir)
        if processes.alone():
          try_checkpoint(config.workdir / "checkpoints")
      return dataset

    dataset = processes.in_turn("data", open_all)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return status_of(error)
  try:
    with contextlib.ExitStack() as stack:
      if processes.first():
        stack.enter_context(held(config.workdir))
      run = Run(config, dataset, start, stopping)
      run.all_stages()
  except BlockingIOError as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  except FloatingPointError as error:
    print(f"error: {error}", file=sys.stderr)
    return 3
  except OSError as error:
    print(
      f"error: {error}\nWhat was saved in {config.workdir} before stands; when "
      "the cause is mended, the same command goes on",
      file=sys.stderr,
    )
    return IO_ERROR
  if processes.first():
    took = f"{(time.monotonic() - began) / 60:.1f} min"
    films = dataset.splits["test"]
    print("\n".join(_last_lines(config, films, took, report=run.has_report)))
  return 0


def _last_lines(
  config: Config, films: Any, took: str, *, report: bool
) -> list[str]:
  from chexjax.commands import closing
  from chexjax.training.datasets import data_folder

  return [
    *closing.closing(config.workdir, took=took, report=report),
    *closing.next_of_run(config.workdir, films, data_folder(config)),
  ]


if __name__ == "__main__":
  status = run_command(main)
  if status == IO_ERROR:
    # At the exit, libraries would try to write once more, and fail aloud.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
  sys.exit(status)
