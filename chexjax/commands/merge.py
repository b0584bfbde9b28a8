"""The parts of predict --shard as one set of predictions.

chexjax merge --predictions=parts --out=predictions --format=parquet

Nothing is written while a part is missing or not complete.
"""

import dataclasses
import json
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import Literal

from chexjax import io
from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.commands.options import parse
from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.inference.prediction_tables import csv_table, write_parquet
from chexjax.inference.shards import RUN_FILE, read_records, read_shards


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `merge`."""

  predictions: pathlib.Path
  """The --out of predict --shard."""
  out: pathlib.Path
  """Folder to write to."""
  format: Literal["json", "jsonl", "parquet"] = "json"
  """predictions.json and predictions.csv, as predict writes them, all films in
  memory; or predictions.jsonl or predictions.parquet, a few at a time."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="merge", description=__doc__)
  set_up_process()
  try:
    io.check_folder(options.out)
    parts, failed = read_shards(options.predictions)
    about = io.read_json(options.predictions / RUN_FILE)
    options.out.mkdir(parents=True, exist_ok=True)
    counted = _Counted(parts)
    _write(options, about, failed, counted)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}\nnothing was written", file=sys.stderr)
    return status_of(error)
  print(
    f"{counted.films} images of {len(parts)} shards, {len(failed)} failed; see "
    f"{options.out}"
  )
  print(DISCLAIMER)
  return 0


class _Counted:
  """The records of all parts, each film once, counted as they pass."""

  def __init__(self, parts: Sequence[pathlib.Path]):
    self._parts, self.films = parts, 0

  def __iter__(self) -> Iterator[dict]:
    seen: set[str] = set()
    for path in self._parts:
      for film in read_records(path):
        if film["file"] in seen:
          raise ValueError(f"{path}: {film['file']} is in it a second time")
        seen.add(film["file"])
        self.films += 1
        yield film


def _write(
  options: Options, about: dict, failed: list[dict], films: _Counted
) -> None:
  path = options.out / f"predictions.{options.format}"
  if options.format == "json":
    done = sorted(films, key=lambda film: film["file"])
    io.write_json(path, about | {"images": done, "failed": failed})
    io.write_text(path.with_suffix(".csv"), csv_table(done))
    return
  if options.format == "parquet":
    write_parquet(path, films)
  else:
    with io.replacing(path) as scratch, scratch.open("w") as file:
      for film in films:
        file.write(json.dumps(film, allow_nan=False) + "\n")
  io.write_json(options.out / RUN_FILE, about | {"failed": failed})


if __name__ == "__main__":
  sys.exit(run_command(main))
