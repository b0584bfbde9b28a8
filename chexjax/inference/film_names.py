"""Films found by the names that other people's files give them."""

import pathlib
from collections.abc import Sequence

from chexjax.data.sources import Source


def file_names(source: Source) -> list[str]:
  """Return the file name of every film of a split; no image is decoded."""
  return [
    source.annotation(i)["file_name"].decode() for i in range(len(source))
  ]


class FilmNames:
  """Finds films by their whole path, or by as much of it as is unambiguous."""

  def __init__(self, files: Sequence[str]):
    """Index the films.

    Args:
      files: paths of the films within their folder, all different.
    """
    self._files = set(files)
    self._by_part: dict[str, list[str]] = {}
    for file in files:
      path = pathlib.PurePosixPath(file)
      # With one folder, the path without its ending is the bare name.
      for part in {path.with_suffix("").as_posix(), path.name, path.stem}:
        self._by_part.setdefault(part, []).append(file)

  def find(self, name: str) -> list[str]:
    """Return the films that a name may mean.

    Args:
      name: a path within the folder, or the name of a file, with any ending or
        with none.

    Returns:
      Their paths: one where the name is clear, none where it is unknown.
    """
    name = name.strip()
    if name in self._files:
      return [name]
    path = pathlib.PurePosixPath(name)
    for part in (path.with_suffix("").as_posix() if path.name else "", name):
      if found := self._by_part.get(part):
        return found
    # A path from elsewhere: its last part decides.
    return self._by_part.get(path.stem, [])

  def listed(self, path: pathlib.Path) -> list[str]:
    """Return the films that a list names.

    Args:
      path: of a text with one name a line.

    Returns:
      Their paths, in the order of the list, each once.

    Raises:
      ValueError: the list is no text, names no film, or names one that is not
        here or not clear.
    """
    try:
      lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
      raise ValueError(f"{path} is no UTF-8 text: {error}") from error
    named = [line.strip() for line in lines if line.strip()]
    found = {name: self.find(name) for name in named}
    unclear = sorted(name for name, of in found.items() if len(of) != 1)
    if unclear:
      raise ValueError(
        f"{path}: {len(unclear)} of {len(named)} names are not those of one "
        f"test image each, for example {', '.join(unclear[:3])}"
      )
    if not named:
      raise ValueError(f"{path} names no image")
    return list(dict.fromkeys(of[0] for of in found.values()))
