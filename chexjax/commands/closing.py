"""The last lines of a run and of an evaluation: figures, files, next steps."""

import importlib.util
import os
import pathlib
import shlex
import shutil
import sys
from collections.abc import Sequence

from chexjax.data.sources import Source
from chexjax.evaluation.outputs.short_summary import short_summary
from chexjax.io import read_json
from chexjax.report.own_report import NAME


def closing(folder: pathlib.Path, *, took: str, report: bool) -> list[str]:
  """Return what results show, and where their files are.

  Args:
    folder: of `results.json`.
    took: how long it took, such as `7.1 min`.
    report: whether there is a report of these results.
  """
  folder = _direct(folder)
  files = f"tables in {folder / 'tables.md'}"
  if report:
    files += f", report in {folder / NAME}"
  results = read_json(folder / "results.json")
  return [*short_summary(results), f"done in {took}: {files}"]


def next_of_run(
  workdir: pathlib.Path, source: Source, data_dir: pathlib.Path
) -> list[str]:
  """Return the commands that a person may want after a run.

  Args:
    workdir: of the run.
    source: its test films.
    data_dir: folder of the films.
  """
  python, workdir = interpreter(), _direct(workdir)
  film = _direct(film_of(source, data_dir))
  predict = [
    python, "-m", "chexjax", "predict", f"--weights={workdir}",
    f"--out={workdir / 'predictions'}", str(film),
  ]  # fmt: skip
  board = [
    python, "-m", "tensorboard.main", f"--logdir={workdir / 'tensorboard'}",
  ]  # fmt: skip
  install = ""
  if importlib.util.find_spec("tensorboard") is None:
    install = f"{shlex.join([python, '-m', 'pip'])} install tensorboard && "
  return [
    "next:",
    *map(_indented, [report_command(workdir), shlex.join(predict)]),
    _indented(install + shlex.join(board)),
  ]


def report_command(folder: pathlib.Path) -> str:
  """Return the command that writes a folder's report."""
  return shlex.join(
    [interpreter(), "-m", "chexjax", "report", f"--workdir={_direct(folder)}"]
  )


def _direct(path: pathlib.Path) -> pathlib.Path:
  """Return a path without `..`, below the current folder if it lies there.

  A link at its end stays: that of a virtual environment's interpreter tells it
  apart.
  """
  if ".." not in path.parts:
    return path
  straight = (
    path.resolve() if path.name == ".." else path.parent.resolve() / path.name
  )
  here = pathlib.Path.cwd()
  return (
    straight.relative_to(here) if straight.is_relative_to(here) else straight
  )


def _indented(line: str) -> str:
  return f"  {line}"


def interpreter() -> str:
  """Return what a shell calls this Python: `python`, or its path."""
  found = shutil.which("python")
  # A virtual environment's interpreter is a link: its own path tells it apart.
  if found and _same_path(found, sys.executable):
    return "python"
  path = _direct(pathlib.Path(sys.executable))
  here = pathlib.Path.cwd()
  return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _same_path(one: str, other: str) -> bool:
  folders = {os.path.realpath(os.path.dirname(path)) for path in (one, other)}
  return len(folders) == 1


def film_of(source: Source, folder: pathlib.Path) -> pathlib.Path:
  """Return the file of a split's first film.

  Args:
    source: the split.
    folder: of the films, in any layout that can be trained on.

  Returns:
    The file; the folder itself where it is not found at once.
  """
  name = source.annotation(0)["file_name"].decode()
  places: Sequence[pathlib.Path] = [
    folder / name,
    folder / "images" / name,
    *sorted(folder.glob("images_*/images")),
  ]
  for place in places:
    path = place / name if place.is_dir() else place
    if path.is_file():
      return path
  return folder
