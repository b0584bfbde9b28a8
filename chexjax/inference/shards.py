"""Predictions of many films in parts, each of which can be killed."""

import contextlib
import itertools
import os
import pathlib
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from chexjax import io, messages
from chexjax.extras import require
from chexjax.inference.image_files import Job
from chexjax.inference.journal import Journal, read_journal
from chexjax.inference.prediction_tables import (
  as_text,
  read_parquet,
  write_parquet,
)
from chexjax.runtime import provenance

RUN_FILE = "run.json"


class Shard(NamedTuple):
  """One of several equal parts of the films.

  Attributes:
    number: 1..total.
    total: of parts.
  """

  number: int
  total: int

  @property
  def name(self) -> str:
    """Name of its files, without a suffix."""
    return f"shard-{self.number:05}-of-{self.total:05}"

  def own(self, jobs: Sequence[Job]) -> list[Job]:
    """Return the films of this part; a film stays where it is if others come.

    Args:
      jobs: all films.
    """
    return [
      job
      for job in jobs
      if zlib.crc32(os.fsencode(job.path)) % self.total == self.number - 1
    ]


def parse_shard(text: str) -> Shard:
  """Return the part that `i/n` names.

  Args:
    text: of the option.

  Raises:
    ValueError: it is not 1/n to n/n.
  """
  found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text)
  if found:
    shard = Shard(*map(int, found.groups()))
    if 1 <= shard.number <= shard.total:
      return shard
  raise ValueError(f"--shard must be i/n, from 1/n to n/n, got {text!r}")


class ShardFiles:
  """The files of one part: records, and what could not be read."""

  def __init__(self, folder: pathlib.Path, shard: Shard, kind: str):
    """Open the records that are there already.

    Args:
      folder: of all parts.
      shard: which part.
      kind: `jsonl`, or `parquet`, which is made when all films are done.

    Raises:
      ImportError: pyarrow is needed and absent.
      ValueError: the records are damaged; names the file and the line.
    """
    self._stem = folder / shard.name
    self._kind = kind
    self._table = self._stem.with_suffix(".parquet")
    if kind == "parquet":
      require("parquet", "pyarrow")
    # Until all films are done again, the part is not complete.
    self._stem.with_suffix(".json").unlink(missing_ok=True)
    self.journal = Journal(self._stem.with_suffix(".jsonl"))
    self._files = set(map(as_text, self.journal.files))
    if self._table.exists():
      self._files |= {film["file"] for film in read_parquet(self._table)}

  def missing(self, jobs: Sequence[Job]) -> list[Job]:
    """Return the films without a record."""
    return [job for job in jobs if as_text(str(job.path)) not in self._files]

  def finish(self, failed: Sequence[dict]) -> None:
    """Make the table, if it is one, and say that the part is complete.

    Args:
      failed: `file` and `reason` of what could not be read.
    """
    self.journal.close()
    if self._kind == "parquet":
      old = read_parquet(self._table) if self._table.exists() else iter(())
      new = read_journal(self.journal.path)
      write_parquet(self._table, _once(itertools.chain(old, new)))
      self.journal.path.unlink()
    io.write_json(
      self._stem.with_suffix(".json"),
      {"failed": list(failed), "provenance": provenance.collect()},
    )


def _once(films: Iterator[dict]) -> Iterator[dict]:
  """Leave out what a kill between two files has left in both."""
  seen: set[str] = set()
  for film in films:
    name = as_text(film["file"])
    if name not in seen:
      seen.add(name)
      yield film


def check_run(folder: pathlib.Path, about: dict[str, Any]) -> None:
  """Check that all parts of a folder are of one run; the first one says which.

  Args:
    folder: of all parts; it is made.
    about: what holds for all films alike, as JSON holds it.

  Raises:
    ValueError: the folder has predictions of something else; says what.
  """
  folder.mkdir(parents=True, exist_ok=True)
  path = folder / RUN_FILE
  with io.held(folder, part="run", wait=True):
    if not path.exists():
      io.write_json(path, about)
      return
  there = io.read_json(path)
  other = [key for key in about if there.get(key) != about[key]]
  if other:
    raise ValueError(
      f"{folder} has predictions of another run, with other "
      f"{', '.join(other)} ({path}); give another --out"
    )


@contextlib.contextmanager
def open_shard(
  folder: pathlib.Path, shard: Shard, kind: str
) -> Iterator[ShardFiles]:
  """Hold a part for this process alone, and open its files.

  Args:
    folder: of all parts.
    shard: which part.
    kind: see `ShardFiles`.

  Raises:
    BlockingIOError: another process works at this part.
  """
  with io.held(folder, part=shard.name):
    files = ShardFiles(folder, shard, kind)
    if files.journal.files:
      messages.tell(
        f"{shard.name}: goes on after {len(files.journal.files)} films"
      )
    yield files


def read_shards(folder: pathlib.Path) -> tuple[list[pathlib.Path], list[dict]]:
  """Return the files of records of all parts, and what could not be read.

  Args:
    folder: of all parts.

  Returns:
    A file for each part, in their order; `file` and `reason` of each failure.

  Raises:
    ValueError: a part is missing or not complete; says which.
  """
  if not (folder / RUN_FILE).exists():
    raise ValueError(
      f"{folder} has no {RUN_FILE}: it is no folder of predict --shard"
    )
  about = io.read_json(folder / RUN_FILE)
  files, missing = [], []
  failed: dict[str, dict] = {}
  for number in range(1, about["shards"] + 1):
    shard = Shard(number, about["shards"])
    stem = folder / shard.name
    if not stem.with_suffix(".json").exists():
      missing.append(f"{number}/{shard.total}")
      continue
    # What is no film at all is known to every part.
    told = io.read_json(stem.with_suffix(".json"))["failed"]
    failed |= {fault["file"]: fault for fault in told}
    files.append(stem.with_suffix(f".{about['format']}"))
  if missing:
    raise ValueError(
      f"{folder}: {len(missing)} of {about['shards']} shards are not complete: "
      + ", ".join(missing[:10])
    )
  return files, list(failed.values())


def read_records(path: pathlib.Path) -> Iterator[dict]:
  """Yield the records of a part.

  Args:
    path: of its `.jsonl` or `.parquet`.
  """
  return read_parquet(path) if path.suffix == ".parquet" else read_journal(path)
