"""Write one HTML file of an evaluation, or of two side by side.

chexjax report --workdir=DIR
chexjax report --workdir=A --workdir=B
"""

import dataclasses
import pathlib
import sys
import time
from collections.abc import Sequence

import tyro

from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.commands.options import parse
from chexjax.io import check_folder
from chexjax.report import build, page


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `report`."""

  workdir: tyro.conf.UseAppendAction[tuple[pathlib.Path, ...]]
  """Folder of a run or of an evaluation; twice to compare two."""
  out: pathlib.Path | None = None
  """HTML file; the first folder's report.html by default."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="report", description=__doc__)
  set_up_process()
  began = time.monotonic()
  try:
    if not options.workdir:
      raise ValueError("give --workdir=DIR, once or twice")
    path = options.out or options.workdir[0] / "report.html"
    if path.is_dir():
      raise ValueError(f"--out={path} is a folder; give an HTML file")
    check_folder(path.parent)
    build.write(list(options.workdir), path)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return status_of(error)
  size = path.stat().st_size / 1e6
  took = time.monotonic() - began
  print(f"{path}: {size:.1f} MB, {took:.0f} s. {page.DISCLAIMER}")
  return 0


if __name__ == "__main__":
  sys.exit(run_command(main))
