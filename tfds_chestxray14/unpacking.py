"""Taking the images out of an archive without trusting it."""

import os
import pathlib
import shutil
import tarfile
import zlib

from tfds_chestxray14 import folder as folder_lib

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
# NIH's PNGs have at most 1.5 MB; far more is no chest X-ray.
_LARGEST = 64 << 20


def unpack_all(root: pathlib.Path) -> dict[str, int]:
  """Unpack what archives lie in a folder and are not unpacked yet.

  An archive counts as unpacked when an earlier call finished it, or when its
  first image lies in the folder in any layout. They stay where they are.

  Args:
    root: The folder; images go to its `images/`.

  Returns:
    How many images came of each archive that was unpacked now, by its name.

  Raises:
    ValueError: As `unpack`.
  """
  counts = {}
  there = folder_lib.scan_images(root).paths
  for archive in folder_lib.find_archives(root):
    begun = archive.with_name(f".{archive.name}.unpacking")
    if mark(archive).exists() or (
      not begun.exists() and _first_image(archive) in there
    ):
      continue
    begun.touch()
    counts[archive.name] = unpack(archive, root / "images")
    os.replace(begun, mark(archive))
  return counts


def mark(archive: pathlib.Path) -> pathlib.Path:
  """Return the empty file that says that an archive was unpacked."""
  return archive.with_name(f".{archive.name}.unpacked")


def _first_image(archive: pathlib.Path) -> str:
  """Return the stem of the first file of an archive, empty if there is none."""
  try:
    with tarfile.open(archive, "r|gz") as tar:
      names = (member.name for member in tar if member.isfile())
      return folder_lib.stem(next(names, ""))
  except (tarfile.TarError, EOFError, OSError, zlib.error):
    return ""  # `unpack` says what is wrong with it.


def unpack(archive: pathlib.Path, folder: pathlib.Path) -> int:
  """Write an archive's images into a folder, by their names alone.

  Nothing else is written: directories in the archive are not followed, so no
  name leads out of the folder. An image that is there in full is left.

  Args:
    archive: A `.tar.gz`.
    folder: Where the images go; made if it is not there.

  Returns:
    How many images the archive holds.

  Raises:
    ValueError: The archive is damaged, or holds a link, a device, a path that
      leaves its folder or something that is no image. It stops there.
  """
  folder.mkdir(parents=True, exist_ok=True)
  count = 0
  try:
    with tarfile.open(archive, "r|gz") as tar:
      for member in tar:
        if member.isdir():
          continue
        _check(archive, member)
        _write(tar, member, folder / pathlib.PurePosixPath(member.name).name)
        count += 1
  except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
    raise ValueError(
      f"{archive} does not unpack: {error}. Delete it and fetch it again."
    ) from error
  if not count:
    raise ValueError(f"{archive} holds no image")
  return count


def _check(archive: pathlib.Path, member: tarfile.TarInfo) -> None:
  path = pathlib.PurePosixPath(member.name)
  if not member.isreg():
    fault = "is a link or a device"
  elif path.is_absolute() or ".." in path.parts or "\\" in member.name:
    fault = "leads out of the archive's folder"
  elif path.suffix.lower() not in _IMAGE_SUFFIXES:
    fault = "is no .png or .jpg"
  elif member.size > _LARGEST:
    fault = f"has {member.size:,} bytes, at most {_LARGEST:,} are taken"
  else:
    return
  raise ValueError(
    f"{archive}: {member.name!r} {fault}. This is not NIH's archive; nothing "
    "more was unpacked."
  )


def _write(
  tar: tarfile.TarFile, member: tarfile.TarInfo, target: pathlib.Path
) -> None:
  if target.is_file() and target.stat().st_size == member.size:
    return
  part = target.with_name(target.name + ".part")
  source = tar.extractfile(member)
  if source is None:
    raise tarfile.TarError(f"{member.name} has no content")
  with source, part.open("wb") as file:
    shutil.copyfileobj(source, file)
  if part.stat().st_size != member.size:
    raise tarfile.TarError(f"{member.name} is cut short")
  os.replace(part, target)
