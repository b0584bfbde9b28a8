"""The image files a command line asks for, and the files written for them."""

import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from chexjax import messages
from chexjax.data.images import SUFFIXES

_LONGEST = 200


class Job(NamedTuple):
  """One image file and the stem of what is written for it."""

  path: pathlib.Path
  stem: str


def find_images(
  given: Sequence[pathlib.Path], out: pathlib.Path
) -> tuple[list[Job], list[dict]]:
  """Lists files and what folders hold, through and through.

  A file named outright is tried whatever its suffix; of two with the same
  stem, the second writes to `stem_2`.

  Args:
    given: files and folders.
    out: folder of results, which is not searched.

  Returns:
    Jobs with distinct stems, and what was asked for and is not there, as
    `{"file", "reason"}`.
  """
  paths: dict[pathlib.Path, None] = {}
  failed = []
  for path in map(pathlib.Path.expanduser, given):
    if path.is_file():
      paths[path] = None
    elif path.is_dir():
      inside = [p for p in sorted(path.rglob("*")) if not p.is_dir()]
      files = [p for p in inside if p.is_file()]
      # Opening a pipe would wait for ever, and a dangling link opens nothing.
      failed += [
        {"file": str(p), "reason": "not a regular file"}
        for p in inside
        if not p.is_file() and p.suffix.lower() in SUFFIXES
      ]
      files = [p for p in files if out.resolve() not in p.resolve().parents]
      found = [p for p in files if p.suffix.lower() in SUFFIXES]
      messages.tell(
        f"{path}: {len(found)} images, {len(files) - len(found)} other files"
      )
      paths |= dict.fromkeys(found)
      if not found:
        failed.append({"file": str(path), "reason": "no PNG or JPEG in it"})
    else:
      failed.append({"file": str(path), "reason": "no such file or folder"})
  return _with_stems(paths), failed


def _with_stems(paths):
  jobs, taken = [], set()
  for path in paths:
    # A file name has 255 bytes at most, and some are needed behind the stem.
    whole = path.stem
    if len(os.fsencode(whole)) > _LONGEST:
      whole = os.fsencode(whole)[:_LONGEST].decode("utf-8", "ignore")
    stem, number = whole, 1
    while stem.lower() in taken:
      number += 1
      stem = f"{whole}_{number}"
    taken.add(stem.lower())
    jobs.append(Job(path, stem))
  return jobs
