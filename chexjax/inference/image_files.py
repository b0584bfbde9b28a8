"""The image files that a command line names, and the names of their results."""

import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chexjax import messages
from chexjax.data.folders import DICOM, SUFFIXES, is_clutter, walk
from chexjax.inference.dicom_files import sort_dicom
from chexjax.io import expand_home

_LONGEST = 200


class Job(NamedTuple):
  """One image file to predict.

  Attributes:
    path: of the file.
    stem: with which the names of its results begin.
  """

  path: pathlib.Path
  stem: str


def find_images(
  given: Sequence[pathlib.Path], outs: Sequence[pathlib.Path]
) -> tuple[list[Job], list[dict[str, str]]]:
  """List image files; folders are searched with all their subfolders.

  PNG and JPEG files are known by their suffixes, DICOM files by what they
  begin with. What is DICOM and no film, such as a DICOMDIR or a report, is
  counted by its class and left out.

  Links are followed. Hidden and system files, such as `._a.png` of macOS, are
  counted and left out. A file that is given itself is listed whatever its name.
  Of two files with the same stem the second gets the stem `stem_2`.

  Args:
    given: files and folders.
    outs: folders of results; they are not searched.

  Returns:
    Jobs with distinct stems, and a record `{"file", "reason"}` for everything
    that was given and holds no readable image.
  """
  paths: dict[pathlib.Path, None] = {}
  failed: list[dict[str, str]] = []
  results = {out.resolve() for out in outs}
  for path in map(expand_home, given):
    if path.is_file():
      paths[path] = None
    elif path.is_dir():
      within = sorted(walk(path))
      inside = [path / p for p in within if not is_clutter(p)]
      clutter = len(within) - len(inside)
      files = [p for p in inside if p.is_file()]
      # Opening a named pipe would block; a dangling link cannot be opened.
      failed += [
        {"file": str(p), "reason": "not a regular file"}
        for p in inside
        if not p.is_file() and p.suffix.lower() in (*SUFFIXES, *DICOM)
      ]
      files = [p for p in files if results.isdisjoint(p.resolve().parents)]
      dicom = sort_dicom([p for p in files if p.suffix.lower() not in SUFFIXES])
      named = {p for p in files if p.suffix.lower() in (*SUFFIXES, *DICOM)}
      wanted = (named - dicom.others.keys()) | dicom.films
      found = [p for p in files if p in wanted]
      rest = len(files) - len(found) - len(dicom.others)
      messages.tell(
        f"{path}: {len(found)} images, {rest} other files"
        + (f", {clutter} hidden and system files" if clutter else "")
        + (f"; skipped {dicom.counts()}" if dicom.others else "")
      )
      paths |= dict.fromkeys(found)
      if not found:
        failed.append(
          {"file": str(path), "reason": "no PNG, JPEG or DICOM film in it"}
        )
    else:
      failed.append({"file": str(path), "reason": "no such file or folder"})
  return _with_stems(paths), failed


def _with_stems(paths: Iterable[pathlib.Path]) -> list[Job]:
  """Give every path a stem; stems differ in more than upper and lower case."""
  jobs, taken = [], set[str]()
  for path in paths:
    # File names have 255 bytes at most; results add a suffix to the stem.
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
