"""Built records of a folder in ChestX-ray14's layout, kept in a cache."""

import errno
import hashlib
import os
import pathlib
import shutil
from typing import Any

from chexjax import io, messages
from chexjax.data.turns import turn
from chexjax.progress import Progress

SOURCE = "source.json"
# Records of one size are in `chest_xray14/512px`.
_DEPTH = 2


def folder_digest(folder: pathlib.Path) -> str:
  """Return a digest of what the builder reads of a folder, and of nothing else.

  These are the lists, by their contents, and the image files, by name, size and
  time of change; links are followed. An image that is replaced by one of the
  same size that carries the same time to the nanosecond (`cp -p` of a file with
  the old one's time) is not noticed: to read every image would take minutes.

  Args:
    folder: images and lists, as the NIH publishes them.
  """
  from tfds_chestxray14 import folder as layout

  digest = hashlib.sha256(os.fsencode(folder.resolve()))
  for table in layout.list_paths(folder):
    content = hashlib.sha256(table.read_bytes()).hexdigest()
    digest.update(f"{table.name}\0{content}\n".encode())
  for path in layout.scan_images(folder).files:
    name = os.path.relpath(path, folder)
    digest.update(os.fsencode(name))
    try:
      status = os.stat(path)
      digest.update(f"\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    except OSError:  # A dangling link is the builder's to name.
      digest.update(b"\0none\n")
  return digest.hexdigest()[:16]


def prepared_builder(
  folder: pathlib.Path, *, size: int, cache: pathlib.Path
) -> Any:
  """Return a builder whose records are there; build them if they are not.

  Of several processes one builds, the others wait and take its records. Records
  of an earlier state of the folder are named, not removed: a run that began
  with them may still read them.

  Args:
    folder: see `folder_digest`.
    size: side of the stored images, in pixels.
    cache: folder of the records; a folder in it is called by the digest.

  Raises:
    FileNotFoundError: images or lists are missing; says where they were sought.
    OSError: the records cannot be written, such as on a full disk.
    ValueError: the lists have faults.
  """
  from tfds_chestxray14 import unpacking

  if unpacking.waiting(folder):
    # Before the digest, which covers the unpacked images.
    with turn(cache, folder, work=f"unpacks archives of {folder}"):
      unpacking.unpack_all(folder)
  place = cache / folder_digest(folder)
  if not _damaged(place) and _builder(place, size).is_prepared():
    # Anew: another process may have finished them since this one was made,
    # which then is prepared and knows of no split.
    return _builder(place, size)
  with turn(cache, folder, work=f"builds records of {folder}"):
    for path, why in _damaged(place).items():
      messages.warn(
        f"note: records in {path} are damaged ({why}); they are built anew"
      )
      shutil.rmtree(path, ignore_errors=True)
    builder = _builder(place, size)
    if not builder.is_prepared():
      _build(builder, folder, place)
  # Anew: whichever process built them, it reads what is there.
  return _builder(place, size)


def _builder(place: pathlib.Path, size: int) -> Any:
  import tensorflow_datasets as tfds

  import tfds_chestxray14  # noqa: F401  registers the dataset

  return tfds.builder(f"chest_xray14/{size}px", data_dir=place)


def _build(builder: Any, folder: pathlib.Path, place: pathlib.Path) -> None:
  import tensorflow_datasets as tfds

  from tfds_chestxray14 import folder as layout

  def watch(done: int, total: int) -> None:
    if not done:
      messages.tell(f"building records of {total:,} films in {place}")
    progress.to(done, total)

  try:
    with Progress("building records, films") as progress:
      builder.watch = watch
      builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=folder)
      )
  except FileExistsError:
    # Another process was first, on a file system without locks.
    if not builder.is_prepared():
      raise
  except RuntimeError as error:  # array_record's, for whatever went wrong.
    if "No space left" not in str(error):
      raise
    raise OSError(
      errno.ENOSPC, os.strerror(errno.ENOSPC), str(place)
    ) from error
  if clutter := layout.scan_images(folder).clutter:
    messages.tell(f"{clutter} hidden and system files are ignored")
  io.write_json(
    place / SOURCE, {"folder": _name(folder), "files": _sizes(place)}
  )
  for old in older_records(folder, place):
    messages.tell(
      f"note: {old} holds records of {folder} as it was before; delete it if "
      "no run uses it"
    )


def _sizes(place: pathlib.Path) -> dict[str, int]:
  """Return the size of every file of the records, by its path in `place`."""
  files = (path.relative_to(place) for path in sorted(place.rglob("*")))
  return {
    name.as_posix(): (place / name).stat().st_size
    for name in files
    if len(name.parts) > _DEPTH
    and not any(part.startswith(".") for part in name.parts)
    and (place / name).is_file()
  }


def _damaged(place: pathlib.Path) -> dict[pathlib.Path, str]:
  """Return the records whose files are not as they were written, and why.

  Records of an older version of the program do not know their sizes.
  """
  try:
    kept = io.read_json(place / SOURCE)["files"]
    found = _sizes(place)
    damaged: dict[pathlib.Path, str] = {}
    for name, size in kept.items():
      if found.get(name) != size:
        folder = place.joinpath(*pathlib.PurePosixPath(name).parts[:_DEPTH])
        said = f"{name} has {found.get(name, 'no')} bytes, written were {size}"
        damaged.setdefault(folder, said)
    return damaged
  except (OSError, ValueError, KeyError, TypeError, AttributeError):
    return {}


def older_records(
  folder: pathlib.Path, place: pathlib.Path
) -> list[pathlib.Path]:
  """Return the other records of the same folder in a cache.

  Args:
    folder: that the records were built from.
    place: the records that are up to date; those beside it are looked at.
  """
  return [
    path.parent
    for path in sorted(place.parent.glob(f"*/{SOURCE}"))
    if path.parent != place and _source(path) == _name(folder)
  ]


def _name(folder: pathlib.Path) -> str:
  # A path need not be text.
  return str(folder.resolve()).encode("utf-8", "backslashreplace").decode()


def _source(path: pathlib.Path) -> str | None:
  """Return which folder records are of; None if the file does not say it."""
  try:
    said = io.read_json(path)
  except (OSError, ValueError):
    return None
  return said.get("folder") if isinstance(said, dict) else None
