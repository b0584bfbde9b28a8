"""Which files of a folder are films, and which belong to the system."""

import os
import pathlib
import unicodedata
from collections.abc import Iterator

from tfds_chestxray14.folder import is_clutter

SUFFIXES = (".png", ".jpg", ".jpeg")
DICOM = (".dcm", ".dicom")


def files_under(
  folder: pathlib.Path, *, suffixes: tuple[str, ...] = SUFFIXES
) -> tuple[list[pathlib.Path], int]:
  """List the files under a folder by their suffix, links followed.

  Args:
    folder: is walked with all folders in it.
    suffixes: in lower case; a file's own may be in any case.

  Returns:
    Paths relative to the folder, sorted, and the number of files with such a
    suffix that are clutter.
  """
  found, clutter = [], 0
  for path in walk(folder):
    if path.suffix.lower() in suffixes:
      if is_clutter(path):
        clutter += 1
      else:
        found.append(path)
  return sorted(found), clutter


def walk(folder: pathlib.Path) -> Iterator[pathlib.Path]:
  """Yield the paths of all files, links followed.

  A circle of links is walked once.

  Args:
    folder: to which the paths are relative.
  """
  seen = set()
  for where, folders, files in os.walk(folder, followlinks=True):
    status = os.stat(where)
    if (status.st_dev, status.st_ino) in seen:
      folders.clear()
      continue
    seen.add((status.st_dev, status.st_ino))
    for name in files:
      yield pathlib.Path(where, name).relative_to(folder)


class Finder:
  """Finds the files that a table names, and what a wrong name may mean."""

  def __init__(self, folder: pathlib.Path):
    """Look at nothing until a file is not found."""
    self._folder = folder
    self._by_key: dict[str, list[str]] | None = None

  def find(self, file: str) -> pathlib.Path | None:
    """Return a file's path, None if there is no such file.

    A name is the same in either of Unicode's forms of an accented letter; macOS
    writes the longer one.

    Args:
      file: path within the folder.
    """
    composed = unicodedata.normalize("NFC", file)
    for form in (file, composed, unicodedata.normalize("NFD", file)):
      try:
        path = self._folder / form
        if path.exists() or path.is_symlink():
          return path
      except (OSError, ValueError):  # Too long, or with a NUL.
        return None
    return None

  def hint(self, file: str) -> str:
    """Return a file that a name may mean: other case, folder or suffix.

    Args:
      file: path within the folder that is not there.
    """
    if self._by_key is None:
      self._by_key = {}
      for path in files_under(self._folder, suffixes=(*SUFFIXES, *DICOM))[0]:
        key = path.stem.casefold()
        self._by_key.setdefault(key, []).append(path.as_posix())
    name = pathlib.PurePosixPath(file).name.casefold()
    suffix = pathlib.PurePosixPath(name).suffix
    known = suffix in (*SUFFIXES, *DICOM)
    found = self._by_key.get(name.removesuffix(suffix) if known else name, [])
    return found[0] if len(found) == 1 else ""
