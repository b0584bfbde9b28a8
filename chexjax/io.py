"""Files and folders that are there whole or not at all.

What is written goes to a scratch name beside its place and is renamed when it
is complete. The scratch name is of this process and this call alone, so that
two writers of one path do not mix their bytes: the last one to finish stands.
"""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

_numbers = itertools.count()


def _scratch(path: pathlib.Path) -> pathlib.Path:
  # A name has 255 bytes at most.
  name = os.fsdecode(os.fsencode(path.name)[:200])
  return path.with_name(f".{name}.{os.getpid()}.{next(_numbers)}.tmp")


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Give a scratch file that takes the place of `path` if all goes well."""
  scratch = _scratch(path)
  try:
    yield scratch
    os.replace(scratch, path)
  finally:
    scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Give a scratch folder that becomes `path` if all goes well.

  Raises:
    OSError: `path` is there already and is not an empty folder.
  """
  scratch = _scratch(path)
  try:
    scratch.mkdir(parents=True)
    yield scratch
    os.replace(scratch, path)
  finally:
    shutil.rmtree(scratch, ignore_errors=True)


def check_folder(folder: pathlib.Path) -> None:
  """Check that a folder can be made and written to; nothing is made.

  Raises:
    OSError: something of its path is no folder, or cannot be written to; names
      it.
  """
  there = folder.absolute()
  while not there.exists() and there != there.parent:
    there = there.parent
  if not there.is_dir():
    raise NotADirectoryError(f"{folder}: {there} is no folder")
  if not os.access(there, os.W_OK | os.X_OK):
    raise PermissionError(f"{folder}: {there} cannot be written to")


@contextlib.contextmanager
def held(
  folder: pathlib.Path, *, part: str = "", wait: bool = False
) -> Iterator[None]:
  """Hold a folder, or a part of it, for this process alone.

  The lock is the system's, on a file `.lock` in the folder: that of a process
  that has died is nobody's. On a file system without locks nothing is held.

  Args:
    folder: it is made if it is not there.
    part: name of what is held, if it is not all of the folder.
    wait: whether to wait for a process that holds it.

  Raises:
    BlockingIOError: another process holds it, and `wait` is false.
  """
  import filelock

  folder.mkdir(parents=True, exist_ok=True)
  lock = filelock.FileLock(folder / (f".{part}.lock" if part else ".lock"))
  try:
    lock.acquire(timeout=-1 if wait else 0)
  except filelock.Timeout as error:
    raise BlockingIOError(
      f"{folder / part} is in use by another process; wait for it, or give "
      "another folder"
    ) from error
  except (OSError, NotImplementedError):
    pass  # This file system has no locks.
  try:
    yield
  finally:
    lock.release()


def write_text(path: pathlib.Path, text: str) -> None:
  """Write a UTF-8 text file."""
  with replacing(path) as scratch:
    # Names of files need not be text.
    scratch.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: pathlib.Path, value: Any) -> None:
  """Write strict JSON, in which a NaN or an infinity is a `ValueError`."""
  write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: pathlib.Path) -> Any:
  """Read a JSON file.

  Raises:
    ValueError: the file is no JSON; names it.
  """
  try:
    return json.loads(path.read_text(encoding="utf-8"))
  except (ValueError, RecursionError) as error:
    raise ValueError(f"{path} is no JSON: {error}") from error
