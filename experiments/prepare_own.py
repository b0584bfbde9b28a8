"""Writes labels.csv and boxes.csv from a published set's own tables.

python -m experiments.prepare_own --from=vindr --source=DIR --out=DIR
"""

import dataclasses
import pathlib
import sys
from typing import Annotated, Literal

import tyro

from chexjax import messages
from chexjax.commands.console import run_command, show_messages
from chexjax.commands.options import parse
from chexjax.data.layouts import read_layout
from chexjax.data.layouts.writing import write_set


@dataclasses.dataclass(frozen=True)
class Options:
  """Writes labels.csv and boxes.csv for --data_dir; images are not copied."""

  layout: Annotated[
    Literal["vindr", "rsna", "chexpert", "siim", "coco", "yolo"],
    tyro.conf.arg(name="from"),
  ]
  """Which published layout the source has."""
  source: pathlib.Path
  """Folder with the published tables."""
  out: pathlib.Path
  """Folder for labels.csv and boxes.csv, and for a link to the images if they
  are elsewhere."""
  images: pathlib.Path | None = None
  """Folder with the images, if they are not in the source."""


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = parse(Options, argv, prog="prepare_own")
  show_messages()
  try:
    prepared = read_layout(
      options.layout, options.source, images=options.images
    )
    written = write_set(prepared, options.out)
  except (OSError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  for note in prepared.notes:
    messages.tell(note)
  messages.tell(prepared.counts())
  messages.tell(f"written: {', '.join(map(str, written))}")
  return 0


if __name__ == "__main__":
  sys.exit(run_command(main))
