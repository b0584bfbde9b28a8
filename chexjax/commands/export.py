"""A model with its weights as a file that needs no chexjax.

chexjax export --weights=DIR --format=stablehlo --out=exported
chexjax export --weights=DIR --format=onnx --out=exported_onnx

StableHLO runs under JAX on CPU, GPU and TPU, ONNX under ONNX Runtime and
Triton; docs/export.md has a loader of each.
"""

import dataclasses
import pathlib
import sys
from collections.abc import Sequence
from typing import Literal

from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.commands.options import parse
from chexjax.evaluation.outputs.results_json import DISCLAIMER


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `export`."""

  weights: pathlib.Path
  """A run's workdir, a folder of convert, or the authors' file."""
  format: Literal["stablehlo", "onnx"]
  """What to write."""
  out: pathlib.Path
  """Folder that is not there yet."""
  preset: Literal["paper", "released"] | None = None
  """Which detection and final map; the weights' own by default."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="export", description=__doc__)
  set_up_process()
  from chexjax.export.files import check_new, export_model
  from chexjax.weights.loading import load_model

  try:
    check_new(options.out)
    loaded = load_model(options.weights, options.preset)
    export_model(options.out, *loaded, kind=options.format)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}\nnothing was written", file=sys.stderr)
    return status_of(error)
  for path in sorted(options.out.iterdir()):
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
  print(DISCLAIMER)
  return 0


if __name__ == "__main__":
  sys.exit(run_command(main))
