"""The images of a published set, found by the names that its tables use."""

import pathlib

from chexjax.data.folders import DICOM, SUFFIXES, files_under


class ImageIndex:
  """Finds images by path, by file name or by name without suffix."""

  def __init__(self, folder: pathlib.Path):
    """List the images.

    Args:
      folder: is walked with all folders in it.
    """
    self._folder = folder
    files, self._clutter = files_under(folder, suffixes=(*SUFFIXES, *DICOM))
    self._paths = {path.as_posix() for path in files}
    self._by_stem: dict[str, list[pathlib.Path]] = {}
    for path in files:
      self._by_stem.setdefault(path.stem.casefold(), []).append(path)
    self._missing: list[str] = []

  @property
  def files(self) -> list[pathlib.Path]:
    """Paths of all images, relative to the folder.

    A DICOM file beside the PNG that was made from it is left out.
    """
    paths = [path for of in self._by_stem.values() for path in of]
    made = {p.with_suffix("") for p in paths if p.suffix.lower() in SUFFIXES}
    return sorted(
      p
      for p in paths
      if p.suffix.lower() in SUFFIXES or p.with_suffix("") not in made
    )

  def find(self, name: str) -> str:
    """Return an image's path within the folder, empty if there is none.

    A path may begin with folders that are above the images, as CheXpert's do.

    Args:
      name: path, file name or name without suffix, as a table has it.
    """
    parts = pathlib.PurePosixPath(name.replace("\\", "/")).parts
    found = ""
    for skipped in range(len(parts)):
      path = "/".join(parts[skipped:])
      if path in self._paths:
        found = path
        break
    if not found and parts:
      found = self._alike(parts[-1])
    if not found:
      self._missing.append(name)
    return found

  def _alike(self, name: str) -> str:
    """Return the one image with this name, whatever its suffix."""
    stem = name.casefold()
    for suffix in (*SUFFIXES, *DICOM):
      stem = stem.removesuffix(suffix)
    files = self._by_stem.get(stem, [])
    # A PNG beside the DICOM file that it was made from is what somebody chose.
    chosen = [p for p in files if p.suffix.lower() in SUFFIXES] or files
    return chosen[0].as_posix() if len(chosen) == 1 else ""

  def notes(self) -> list[str]:
    """Return what was not found, as text."""
    notes = []
    if self._missing:
      notes.append(
        f"{len(self._missing)} films of the tables have no image (or several) "
        f"in {self._folder}, such as {self._missing[0]}; left out"
      )
    if self._clutter:
      notes.append(f"{self._clutter} hidden and system files are ignored")
    return notes
