"""What a phantom's folder holds, to know a damaged one."""

import hashlib
import pathlib
from typing import Any

from chexjax.types import PHANTOM_MANIFEST

MANIFEST = PHANTOM_MANIFEST


def content_of(folder: pathlib.Path) -> dict[str, Any]:
  """Return what the manifest keeps of a folder's content.

  Of the images their number and their bytes in all, which takes no reading; of
  the tables, which are small, the hashes.

  Args:
    folder: of a phantom.

  Raises:
    OSError: the folder of the images is missing.
  """
  sizes = [path.stat().st_size for path in (folder / "images").iterdir()]
  tables = sorted(
    path for path in folder.iterdir()
    if path.is_file() and path.name != MANIFEST and path.name[0] != "."
  )  # fmt: skip
  return {
    "images": len(sizes),
    "bytes": sum(sizes),
    "tables": {
      path.name: hashlib.sha256(path.read_bytes()).hexdigest()
      for path in tables
    },
  }


def damage_of(folder: pathlib.Path, manifest: dict[str, Any]) -> str:
  """Return what is damaged in a phantom's folder, or an empty text.

  Args:
    folder: of the phantom.
    manifest: as it was read; that of an older phantom does not know.
  """
  kept = manifest.get("content")
  if kept is None:
    return ""
  try:
    found = content_of(folder)
  except OSError as error:
    return str(error)
  for name in ("images", "bytes"):
    if found[name] != kept[name]:
      return f"{found[name]} {name}, written were {kept[name]}"
  tables = [
    name for name, digest in kept["tables"].items()
    if found["tables"].get(name) != digest
  ]  # fmt: skip
  return f"{', '.join(tables)} changed or missing" if tables else ""
