"""What is kept in the cache, how large it is, and its removal."""

import dataclasses
import os
import pathlib
import shutil
import time

_DAY = 86400.0


@dataclasses.dataclass(frozen=True)
class Entry:
  """Something that can be removed from the cache, and is made anew if needed.

  Attributes:
    path: file or folder.
    kind: `phantom`, `records`, `compiled` or `traced`.
    size: bytes.
    idle: days since it was last written or read, as far as the file system
      notes reading.
  """

  path: pathlib.Path
  kind: str
  size: int
  idle: float


def entries(cache: pathlib.Path) -> list[Entry]:
  """List what a cache folder holds.

  Args:
    cache: as `cache_home` returns it; it need not exist.

  Returns:
    Drawn phantoms, built records, compiled and traced programs, the longest
    idle first; also what a killed process left half done. Other files, such as
    locks, are not listed.
  """
  found = []
  for kind in ("phantom", "records"):
    found += [
      _entry(path, kind)
      for path in _inside(cache / kind)
      if path.is_dir() and (path.suffix == ".tmp" or path.name[0] != ".")
    ]
  compiled = cache / "compiled"
  found += [_entry(p, "compiled") for p in _inside(compiled) if p.is_file()]
  found += [_entry(p, "traced") for p in _inside(compiled / "traced")]
  return sorted(found, key=lambda entry: -entry.idle)


def prune(cache: pathlib.Path, *, days: float) -> list[Entry]:
  """Remove what was not used for some days.

  Args:
    cache: see `entries`.
    days: 0 removes everything.

  Returns:
    What was removed.
  """
  removed = [entry for entry in entries(cache) if entry.idle >= days]
  for entry in removed:
    if entry.path.is_dir():
      shutil.rmtree(entry.path, ignore_errors=True)
    else:
      entry.path.unlink(missing_ok=True)
  return removed


def _status(path: pathlib.Path) -> os.stat_result | None:
  """Return a file's status; None if it is none, or a run has just moved it."""
  try:
    return path.stat() if path.is_file() else None
  except OSError:
    return None


def _inside(folder: pathlib.Path) -> list[pathlib.Path]:
  return sorted(folder.iterdir()) if folder.is_dir() else []


def _entry(path: pathlib.Path, kind: str) -> Entry:
  files = [path] if path.is_file() else list(path.rglob("*"))
  stats = [status for p in files if (status := _status(p))]
  last = max((max(s.st_mtime, s.st_atime) for s in stats), default=0.0)
  idle = max(0.0, (time.time() - last) / _DAY)
  return Entry(path, kind, sum(s.st_size for s in stats), idle)
