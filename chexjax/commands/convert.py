"""The released weights to our checkpoint, and back.

chexjax convert --weights=fullmodel_densenet121.pth --out=DIR
chexjax convert --weights=DIR --out=fullmodel.pth

The first writes a folder that `run --init=DIR`, `evaluate` and `predict` take;
the second a file that the authors' code loads strictly.
"""

import dataclasses
import pathlib
import sys
from collections.abc import Sequence

from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.commands.options import parse
from chexjax.weights.conversion import convert


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `convert`."""

  weights: pathlib.Path
  """The authors' file, a run's workdir or a converted folder."""
  out: pathlib.Path
  """Folder, or a .pth or .safetensors file, that is not there yet."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="convert", description=__doc__)
  set_up_process()
  try:
    convert(options.weights, options.out)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}\nnothing was written", file=sys.stderr)
    return status_of(error)
  return 0


if __name__ == "__main__":
  sys.exit(run_command(main))
