"""Taking the images out of an archive without trusting it."""

import os
import pathlib

from tfds_chestxray14 import archives
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
  for archive in waiting(root):
    begun = _begun(archive)
    begun.touch()
    counts[archive.name] = unpack(archive, root / "images")
    os.replace(begun, mark(archive))
  return counts


def waiting(root: pathlib.Path) -> list[pathlib.Path]:
  """Return the archives that `unpack_all` would unpack now."""
  found = [
    path for path in folder_lib.find_archives(root) if not mark(path).exists()
  ]
  if not found:
    return []
  there = folder_lib.scan_images(root).paths
  return [
    path
    for path in found
    if _begun(path).exists() or _first_image(path) not in there
  ]


def _begun(archive: pathlib.Path) -> pathlib.Path:
  return archive.with_name(f".{archive.name}.unpacking")


def mark(archive: pathlib.Path) -> pathlib.Path:
  """Return the empty file that says that an archive was unpacked."""
  return archive.with_name(f".{archive.name}.unpacked")


def _first_image(archive: pathlib.Path) -> str:
  """Return the stem of the first file of an archive, empty if there is none."""
  try:
    return next(
      (folder_lib.stem(m.name) for m in archives.members(archive) if m.regular),
      "",
    )
  except archives.DAMAGE:
    return ""  # `unpack` says what is wrong with it.


def unpack(archive: pathlib.Path, folder: pathlib.Path) -> int:
  """Write an archive's images into a folder, by their names alone.

  Nothing else is written: directories in the archive are not followed, so no
  name leads out of the folder. An image that is there in full is left, and so
  are the archive's hidden and system files.

  Args:
    archive: A `.tar.gz`, `.tar` or `.zip`.
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
    for member in archives.members(archive):
      _check(archive, member)
      count += _write(member, folder / pathlib.PurePosixPath(member.name).name)
  except archives.DAMAGE as error:
    if isinstance(error, OSError) and error.errno:
      raise  # The disk's fault, not the archive's.
    raise ValueError(
      f"{archive} does not unpack: {error}. Delete it and fetch it again."
    ) from error
  if not count:
    raise ValueError(f"{archive} holds no image")
  return count


def _check(archive: pathlib.Path, member: archives.Member) -> None:
  path = pathlib.PurePosixPath(member.name)
  if not member.regular:
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


def _write(member: archives.Member, target: pathlib.Path) -> int:
  """Write an image, unless it is there in full; return 1, for the count."""
  if target.is_file() and target.stat().st_size == member.size:
    return 1
  part = target.with_name(target.name + ".part")
  with part.open("wb") as file:
    member.write(file)
  if part.stat().st_size != member.size:
    raise EOFError(f"{member.name} is cut short")
  os.replace(part, target)
  return 1
