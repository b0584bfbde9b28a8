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
    self._dicom: list[str] = []

  @property
  def files(self) -> list[pathlib.Path]:
    """Paths of all images that can be read, relative to the folder."""
    return sorted(
      pathlib.Path(path)
      for path in self._paths
      if not path.lower().endswith(DICOM)
    )

  def find(self, name: str) -> str:
    """Return an image's path within the folder, empty if it cannot be read.

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
    elif found.lower().endswith(DICOM):
      self._dicom.append(found)
      found = ""
    return found

  def _alike(self, name: str) -> str:
    """Return the one image with this name, whatever its suffix."""
    stem = name.casefold()
    for suffix in (*SUFFIXES, *DICOM):
      stem = stem.removesuffix(suffix)
    files = self._by_stem.get(stem, [])
    # A film beside the DICOM file that it was made from.
    readable = [p for p in files if p.suffix.lower() in SUFFIXES] or files
    return readable[0].as_posix() if len(readable) == 1 else ""

  def notes(self) -> list[str]:
    """Return what was not found or not read, as text."""
    notes = []
    if self._missing:
      notes.append(
        f"{len(self._missing)} films of the tables have no image (or several) "
        f"in {self._folder}, such as {self._missing[0]}; left out"
      )
    if self._dicom:
      notes.append(
        f"{len(self._dicom)} films are DICOM files, which are not read yet, "
        f"such as {self._dicom[0]}; left out. Convert them to PNG"
      )
    if self._clutter:
      notes.append(f"{self._clutter} hidden and system files are ignored")
    return notes
