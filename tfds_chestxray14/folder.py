"""Where the lists and the images lie in a folder, in any layout in use."""

import gzip
import hashlib
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

# What each list may be called; the first that exists is read.
LIST_NAMES: dict[str, tuple[str, ...]] = {
  "data_entry": ("Data_Entry_2017.csv", "Data_Entry_2017_v2020.csv"),
  "boxes": ("BBox_List_2017.csv",),
  "train_val": ("train_val_list.txt",),
  "test": ("test_list.txt",),
}
VAL_LIST_NAMES: tuple[str, ...] = ("val_list.txt", "val_official.txt")

_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg"}
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
# Folders that archives of macOS and file servers add.
_SYSTEM = ("__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN")


class ListFile(NamedTuple):
  """A list as read.

  Attributes:
    path: Where it lies.
    text: Its text, decompressed, without a byte order mark.
    sha256: Of its bytes, decompressed: the same for `x.csv` and `x.csv.gz`.
  """

  path: pathlib.Path
  text: str
  sha256: str

  def __repr__(self) -> str:
    """Leave the text out."""
    return f"ListFile({str(self.path)!r}, {len(self.text):,} letters)"


class Images(NamedTuple):
  """The image files of a folder.

  Attributes:
    paths: Path by stem (`00000001_000`).
    doubles: Stems that lie there more than once, with both paths.
    looked_at: The folders searched.
    files: All image files, doubles too.
    clutter: How many hidden and system files look like images.
  """

  paths: dict[str, str]
  doubles: dict[str, tuple[str, str]]
  looked_at: tuple[str, ...]
  files: tuple[str, ...] = ()
  clutter: int = 0


def stem(name: str) -> str:
  """Return a file name without its ending: the key of an image."""
  return os.path.splitext(os.path.basename(name.strip()))[0]


def is_clutter(path: pathlib.PurePath) -> bool:
  """Return whether a path within a set is hidden or a system's own.

  These are dot files, among them `._a.png` of macOS, and what lies in folders
  such as `@eaDir` and `__MACOSX`.
  """
  return any(
    part in _SYSTEM or (part.startswith(".") and part not in (".", ".."))
    for part in path.parts
  )


def list_paths(folder: pathlib.Path) -> list[pathlib.Path]:
  """Return the lists that `find_lists` would read for `LIST_NAMES`."""
  found = (_first(folder, options)[0] for options in LIST_NAMES.values())
  return [path for path in found if path is not None]


def find_lists(
  folder: pathlib.Path, names: dict[str, tuple[str, ...]]
) -> dict[str, ListFile]:
  """Read the named lists of a folder, each plain or `.gz`.

  Args:
    folder: The folder in the official layout.
    names: The names a list may have, by role.

  Returns:
    The lists by role.

  Raises:
    FileNotFoundError: A list is missing; says every path looked at.
    ValueError: A list is no UTF-8 text, or its `.gz` is damaged.
  """
  found, missing = {}, []
  for role, options in names.items():
    path, paths = _first(folder, options)
    if path is None:
      missing.append(", ".join(str(path) for path in paths))
    else:
      found[role] = _read_list(path)
  if missing:
    raise FileNotFoundError(
      "ChestX-ray14 needs its lists beside the images. Not found, any of:\n"
      + "\n".join(f"  - {paths}" for paths in missing)
      + "\nPut the files of NIH's download there (plain or .gz), or point "
      "manual_dir at the folder that holds them."
    )
  return found


def find_images(folder: pathlib.Path) -> Images:
  """Find the image files, flat, in `images/` or in `images_001/images/` ...

  Raises:
    FileNotFoundError: There is none; says every folder looked at.
  """
  images = scan_images(folder)
  if not images.paths:
    raise FileNotFoundError(_no_image(folder, images.looked_at))
  return images


def scan_images(folder: pathlib.Path) -> Images:
  """Do what `find_images` does; none is no error."""
  paths: dict[str, str] = {}
  doubles: dict[str, tuple[str, str]] = {}
  files: list[str] = []
  clutter = 0
  looked_at = _image_folders(folder)
  for place in looked_at:
    for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
      key, suffix = os.path.splitext(entry.name)
      if suffix.lower() not in _IMAGE_SUFFIXES:
        continue
      if is_clutter(pathlib.PurePath(entry.name)):
        clutter += 1
        continue
      files.append(entry.path)
      if key in paths:
        doubles[key] = (paths[key], entry.path)
      else:
        paths[key] = entry.path
  return Images(paths, doubles, tuple(looked_at), tuple(files), clutter)


def _first(
  folder: pathlib.Path, options: Sequence[str]
) -> tuple[pathlib.Path | None, list[pathlib.Path]]:
  """Return the first list of some names that is there, and all looked at."""
  paths = [folder / (name + end) for name in options for end in ("", ".gz")]
  return next((path for path in paths if path.is_file()), None), paths


def _read_list(path: pathlib.Path) -> ListFile:
  data = path.read_bytes()
  try:
    if data[:2] == b"\x1f\x8b":
      data = gzip.decompress(data)
    text = data.decode("utf-8-sig")
  except (OSError, EOFError, UnicodeDecodeError) as error:
    raise ValueError(
      f"{path} does not read as text: {error}. Fetch the file again."
    ) from error
  return ListFile(path, text, hashlib.sha256(data).hexdigest())


def _image_folders(folder: pathlib.Path) -> list[str]:
  parts = sorted(p for p in folder.glob("images_*") if p.is_dir())
  places = [folder, folder / "images"]
  for part in parts:
    places += [part, part / "images"]
  return [str(place) for place in places if place.is_dir()]


def find_archives(folder: pathlib.Path) -> list[pathlib.Path]:
  """Return NIH's archives of images in a folder, or in its `images/`.

  They are called `images*`, as NIH's are, and may be packed anew as `.tar` or
  `.zip`.
  """
  return sorted(
    path
    for place in (folder, folder / "images")
    for path in place.glob("images*")
    if path.name.lower().endswith(ARCHIVE_SUFFIXES) and path.is_file()
  )


def _no_image(folder: pathlib.Path, looked_at: Sequence[str]) -> str:
  archives = find_archives(folder)
  remedy = (
    f"There are archives ({archives[0].name} ...): a build unpacks them, and "
    f"so does `python -m tfds_chestxray14.check {folder} --unpack`."
    if archives
    else "Put the images (.png, .jpg) into one of these folders, or into "
    f"{folder}/images or {folder}/images_001/images ..."
  )
  places = "\n".join(f"  - {place}" for place in looked_at)
  return f"No image found. Looked at:\n{places}\n{remedy}"
