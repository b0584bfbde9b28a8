"""Measures a part of the project: `python -m experiments.benchmark NAME`.

`python -m experiments.benchmark input --help` lists its options.
"""

import importlib
import sys

from chexjax.commands.console import run_command
from chexjax.runtime import memory

# Subcommand -> what it measures; each is a module here with `main(argv)`.
COMMANDS = {
  "input": "images a second of the input pipeline, and its memory",
  "ops": "RoIAlign, detection map and crops, beside the plain way",
  "model": "backbones, whole model, and prediction with maps and boxes",
  "train": "a step of each stage, its floor, memory and compile time",
  "scaling": "how a step grows with size, findings, batch and devices",
  "ahead": "steps compiled for GPUs and TPUs that are not at hand",
  "evaluate": "boxing of maps, and intervals by resampling patients",
}


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  if argv is None:
    memory.relaunch()  # As a run does.
  argv = sys.argv[1:] if argv is None else argv
  if not argv or argv[0] not in COMMANDS:
    listed = "\n".join(f"  {name}: {what}" for name, what in COMMANDS.items())
    asked = bool(argv) and argv[0] not in ("-h", "--help")
    print(
      f"usage: python -m experiments.benchmark NAME [options]\n{listed}",
      file=sys.stderr if asked else sys.stdout,
    )
    return 2 if asked else 0
  module = importlib.import_module(f"experiments.benchmark.{argv[0]}")
  return module.main(argv[1:])


if __name__ == "__main__":
  sys.exit(run_command(main))
