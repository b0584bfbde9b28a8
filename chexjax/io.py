"""Files and folders that are there whole or not at all.

What is written goes to a scratch name beside its place and is renamed when it
is complete. The scratch name is of this process and this call alone, so that
two writers of one path do not mix their bytes: the last one to finish stands.
"""

import codecs
import contextlib
import itertools
import json
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
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


def expand_home(path: pathlib.Path) -> pathlib.Path:
  """Return a path with `~` expanded, which a shell leaves after `=`.

  Raises:
    ValueError: the home folder is not known.
  """
  try:
    return path.expanduser()
  except RuntimeError as error:
    raise ValueError(
      f"{path}: the home folder is not known; set HOME, or give a path without "
      "~"
    ) from error


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


def _check_locks(path: pathlib.Path) -> None:
  """Raise `OSError` on a file system that does not know locks at all.

  Without it filelock would mark the folder by a file that stays behind when the
  process is killed.
  """
  try:
    import fcntl
  except ImportError:
    return
  with path.open("ab") as file:
    fcntl.flock(file, fcntl.LOCK_UN)


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
    _check_locks(folder / ".lock")
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


def decode_table(data: bytes) -> tuple[str, str]:
  """Return the text of a delimited table as people save it, and its separator.

  Args:
    data: of the file: UTF-8, or UTF-16 with a byte order mark; lines end in
      any of the three ways.

  Returns:
    The text with `\\n` alone, and that of `SEPARATORS` which is most frequent
    in its first line.

  Raises:
    UnicodeDecodeError: it is no such text.
  """
  encoding = "utf-16" if data[:2] in _UTF_16 else "utf-8-sig"
  text = data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
  return text, max(SEPARATORS, key=text.split("\n", 1)[0].count)


def write_text(path: pathlib.Path, text: str) -> None:
  """Write a UTF-8 text file."""
  with replacing(path) as scratch:
    # Names of files need not be text.
    scratch.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_object(path: pathlib.Path, *keys: str) -> dict[str, Any]:
  """Read a JSON file that holds an object.

  Args:
    path: of the file.
    *keys: that the object must have.

  Raises:
    ValueError: the file is no JSON, no object, or lacks a key; names it.
  """
  found = read_json(path)
  if not isinstance(found, dict):
    raise ValueError(f"{path} is damaged: it holds no JSON object")
  missing = [key for key in keys if key not in found]
  if missing:
    raise ValueError(f"{path} is damaged: it lacks {', '.join(missing)}")
  return found


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
