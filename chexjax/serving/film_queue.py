"""Films and results that wait, on disk.

A film is in one of three folders: `waiting` until its results are there,
`results` until the peer has them, `failed` if it has none. Each step is made
durable before the one before it is undone, so a process that is killed loses
nothing; at worst a step is done twice, with the same result. A film that was
being predicted when the process ended may be what has ended it: it is predicted
alone, after all others, and put aside after ten such ends.
"""

import hashlib
import json
import os
import pathlib
import shutil
import threading
import time
from collections.abc import Callable, Mapping

from chexjax.io import new_folder, replacing

_NAME = 24  # hexadecimal digits of a film's digest
_ENDS = 10  # of the process while a film was being predicted
Writer = Callable[[pathlib.Path], None]


class QueueFullError(Exception):
  """As many films wait as may."""


class FilmQueue:
  """A folder of films and results; for one process, any number of threads."""

  def __init__(self, folder: pathlib.Path, *, most: int):
    """Open the folder, with what an earlier process has left.

    Args:
      folder: it is made if it is not there.
      most: films that may wait, for prediction or for the peer, together.

    Raises:
      OSError: the folder cannot be made or read.
    """
    self._most = most
    self._waiting_folder = folder / "waiting"
    self._results_folder = folder / "results"
    self._failed_folder = folder / "failed"
    for part in self._folders:
      part.mkdir(parents=True, exist_ok=True)
      for scratch in part.glob(".*.tmp"):
        if scratch.is_dir():
          shutil.rmtree(scratch)
        else:
          scratch.unlink()
    self._changed = threading.Condition()
    self._results = {path.name for path in self._results_folder.iterdir()}
    found = sorted(
      self._waiting_folder.glob("*.dcm"), key=lambda p: p.stat().st_mtime_ns
    )
    for path in found:
      if path.stem in self._results:
        path.unlink()  # The process ended between its results and this.
    found = [path for path in found if path.stem not in self._results]
    # Ordered by arrival; the value says whether it is being predicted.
    self._waiting = dict.fromkeys((path.stem for path in found), False)
    self._writing: set[str] = set()
    self._ends = {path.stem: _ends_of(path) for path in found}
    for path in found:
      if self._ends[path.stem] >= _ENDS:
        self.fail(path, f"the process ended {_ENDS} times while predicting it")

  @property
  def _folders(self) -> tuple[pathlib.Path, ...]:
    return self._waiting_folder, self._results_folder, self._failed_folder

  @property
  def waiting(self) -> int:
    """Films that wait for their prediction."""
    with self._changed:
      return len(self._waiting.keys() - self._results)

  @property
  def unsent(self) -> int:
    """Films whose results the peer does not have yet."""
    with self._changed:
      return len(self._results)

  def failures(self) -> int:
    """Count what lies in `failed`."""
    return sum(1 for _ in self._failed_folder.glob("*.json"))

  def add(self, film: bytes) -> str:
    """Keep a film; it is on the disk when this returns.

    The same bytes are one film, however often they come.

    Args:
      film: a DICOM file.

    Returns:
      The film's name in the queue, of its content.

    Raises:
      QueueFullError: `most` films wait already.
      OSError: it cannot be written.
    """
    name = hashlib.sha256(film).hexdigest()[:_NAME]
    with self._changed:
      self._changed.wait_for(lambda: name not in self._writing)
      if name in self._waiting or name in self._results:
        return name
      # The place is taken before the slow writing, so that many senders at once
      # do not take more than there are.
      kept = self._waiting.keys() | self._results | self._writing
      if len(kept) >= self._most:
        raise QueueFullError(f"{self._most} films wait already")
      self._writing.add(name)
    try:
      _write_durably(self._film(name), film)
      with self._changed:
        self._waiting[name] = False
    finally:
      with self._changed:
        self._writing.discard(name)
        self._changed.notify_all()
    return name

  def take(self, most: int, *, timeout: float) -> list[pathlib.Path]:
    """Return the films that came first; they stay in the queue until `finish`.

    Args:
      most: films.
      timeout: seconds to wait for a film.

    Returns:
      Their files; none where no film came.
    """
    with self._changed:
      self._changed.wait_for(
        lambda: not all(self._waiting.values()), timeout=timeout
      )
      free = [name for name, taken in self._waiting.items() if not taken]
      fresh = [name for name in free if not self._ends.get(name)]
      chosen = fresh[:most] or sorted(free, key=self._ends.__getitem__)[:1]
      for name in chosen:
        self._waiting[name] = True
    films = [self._film(name) for name in chosen]
    for film in films:
      ends = self._ends.get(film.stem, 0) + 1
      film.with_suffix(".ends").write_text(str(ends))
    return films

  def give_back(self, film: pathlib.Path) -> None:
    """Let a film wait again that `take` gave out."""
    film.with_suffix(".ends").unlink(missing_ok=True)
    with self._changed:
      self._waiting[film.stem] = False

  def finish(self, film: pathlib.Path, results: Mapping[str, Writer]) -> None:
    """Keep a film's results; the film itself goes.

    Args:
      film: of `take`.
      results: file name -> what writes it to the path that it is given.

    Raises:
      OSError: they cannot be written; the film stays.
    """
    folder = self._results_folder / film.stem
    if not folder.exists():
      with new_folder(folder) as scratch:
        for name, write in results.items():
          write(scratch / name)
          _sync(scratch / name)
        _sync(scratch)
      _sync(self._results_folder)
    with self._changed:
      self._results.add(film.stem)
    self._remove(film)

  def fail(self, film: pathlib.Path, reason: str) -> None:
    """Put a film aside, with the reason beside it.

    Args:
      film: of `take`.
      reason: names no patient.

    Raises:
      OSError: it cannot be moved.
    """
    self._put_aside(film, film.name, reason)
    self._remove(film)

  def results(self) -> list[pathlib.Path]:
    """Return the results' files, those of one film beside each other."""
    with self._changed:
      names = sorted(self._results)
    return [
      path
      for name in names
      for path in sorted((self._results_folder / name).glob("*.dcm"))
    ]

  def sent(self, result: pathlib.Path) -> None:
    """Remove a result that the peer has."""
    result.unlink()
    self._tidy(result.parent)

  def refuse(self, result: pathlib.Path, reason: str) -> None:
    """Put a result aside that the peer does not take.

    Args:
      result: of `results`.
      reason: names no patient.
    """
    name = f"{result.parent.name}_{result.name}"
    self._put_aside(result, name, reason)
    self._tidy(result.parent)

  def wait_for_results(self, timeout: float) -> None:
    """Wait until there is a result, or the time is over."""
    with self._changed:
      self._changed.wait_for(lambda: bool(self._results), timeout=timeout)

  def _film(self, name: str) -> pathlib.Path:
    return self._waiting_folder / f"{name}.dcm"

  def _remove(self, film: pathlib.Path) -> None:
    film.unlink(missing_ok=True)
    film.with_suffix(".ends").unlink(missing_ok=True)
    with self._changed:
      self._waiting.pop(film.stem, None)
      self._ends.pop(film.stem, None)
      self._changed.notify_all()

  def _tidy(self, folder: pathlib.Path) -> None:
    if any(folder.iterdir()):
      return
    folder.rmdir()
    with self._changed:
      self._results.discard(folder.name)

  def _put_aside(self, path: pathlib.Path, name: str, reason: str) -> None:
    aside = self._failed_folder / name
    when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    text = json.dumps({"reason": reason, "time": when}, indent=2) + "\n"
    _write_durably(aside.with_suffix(".json"), text.encode())
    os.replace(path, aside)
    _sync(self._failed_folder)


def _write_durably(path: pathlib.Path, content: bytes) -> None:
  """Write a file that is there after a failure of power too."""
  with replacing(path) as scratch:
    scratch.write_bytes(content)
    _sync(scratch)
  _sync(path.parent)


def _sync(path: pathlib.Path) -> None:
  """Wait until a file, or a folder's list of files, is on the disk."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


def _ends_of(film: pathlib.Path) -> int:
  """Return how often the process ended while a film was being predicted."""
  try:
    return int(film.with_suffix(".ends").read_text())
  except (OSError, ValueError):
    return 0
