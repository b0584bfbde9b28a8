"""Look for trivial statistics of films that predict a label.

chexjax leaks --data_dir=DIR

Mean, sharpness, size, border, corners, view and more are compared with every
label on the validation films, and the test films with the training films. Exit
status: 0 nothing was found, 1 something was, 2 the input is at fault.
"""

import dataclasses
import pathlib
import sys
from collections.abc import Sequence

from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.commands.options import parse
from chexjax.runtime.cache_home import DEFAULT, cache_home


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `leaks`."""

  data_dir: pathlib.Path
  """Folder with the official lists, or with a labels.csv."""
  image_size: int = 128
  """Side that the films are measured at, in pixels: that of the training."""
  cache_dir: pathlib.Path = DEFAULT
  """Folder of the built records."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="leaks", description=__doc__)
  set_up_process()
  try:
    from chexjax.data.own_set import open_folder
    from chexjax.training import leaks

    dataset = open_folder(
      options.data_dir,
      size=options.image_size,
      cache=cache_home(options.cache_dir) / "records",
    )
    found = leaks.check(dataset, folders=[options.data_dir])
    moved = {}
    if {"train", "test"} <= dataset.splits.keys():
      moved = leaks.shift(dataset, folders=[options.data_dir])
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return status_of(error)
  print("\n".join(leaks.report(found)))
  if moved:
    print("from the training to the test films (AUC of telling them apart):")
  for name, (train, test, auc) in moved.items():
    print(f"  {name}: mean {train:.3g} to {test:.3g} ({max(auc, 1 - auc):.2f})")
  return 1 if found else 0


if __name__ == "__main__":
  sys.exit(run_command(main))
