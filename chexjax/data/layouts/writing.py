"""Writes a published set as `labels.csv` and `boxes.csv`."""

import csv
import io
import os
import pathlib
from collections.abc import Iterable, Sequence

from chexjax.data.layouts.prepared import ABSENT, PRESENT, Prepared
from chexjax.data.own_set import BOXES, LABELS
from chexjax.io import write_text

LINK = "images"


def write_set(prepared: Prepared, out: pathlib.Path) -> list[pathlib.Path]:
  """Write the tables; the images stay where they are.

  If the images are not in the folder, a link `images` to theirs is made.

  Args:
    prepared: of `read_layout`.
    out: folder, made if it is missing.

  Returns:
    What was written.

  Raises:
    ValueError: no film has an image, or the tables or a link of that name are
      there already.
    OSError: the link cannot be made.
  """
  if not prepared.films:
    raise ValueError(
      "\n  - ".join([f"no film has an image in {prepared.images}:",
                     *prepared.notes])
    )  # fmt: skip
  for name in (LABELS, BOXES):
    if (out / name).exists():
      raise ValueError(f"{out / name} is there already; give another --out")
  out.mkdir(parents=True, exist_ok=True)
  prefix, written = _reach(prepared.images, out)
  if prepared.boxes:
    written.append(out / BOXES)
    write_text(out / BOXES, _boxes(prepared, prefix))
  # Last, because a folder with labels.csv is taken for a whole set.
  written.append(out / LABELS)
  write_text(out / LABELS, _labels(prepared, prefix))
  return written


def _reach(
  images: pathlib.Path, out: pathlib.Path
) -> tuple[pathlib.PurePosixPath, list[pathlib.Path]]:
  """Return what files' paths begin with, and the link if one was made."""
  images, there = images.resolve(), out.resolve()
  if images.is_relative_to(there):
    return pathlib.PurePosixPath(images.relative_to(there).as_posix()), []
  link = out / LINK
  if link.is_symlink() and link.resolve() == images:
    return pathlib.PurePosixPath(LINK), []
  if link.is_symlink() or link.exists():
    raise ValueError(f"{link} is there already; give another --out")
  try:
    os.symlink(images, link, target_is_directory=True)
  except OSError as error:
    raise OSError(
      f"no link {link} can be made ({error.strerror}); give --out={images}"
    ) from error
  return pathlib.PurePosixPath(LINK), [link]


def _labels(prepared: Prepared, prefix: pathlib.PurePosixPath) -> str:
  whole = {PRESENT, ABSENT}
  listed = all(
    whole.issuperset(film.labels.values()) for film in prepared.films
  )
  patients = any(film.patient for film in prepared.films)
  splits = any(film.split for film in prepared.films)
  header = ["file", *(["findings"] if listed else prepared.findings)]
  header += ["patient"] * patients + ["split"] * splits
  rows = []
  for film in prepared.films:
    row = [str(prefix / film.file)]
    if listed:
      present = [n for n, label in film.labels.items() if label == PRESENT]
      row.append("|".join(present))
    else:
      row += [film.labels[name] for name in prepared.findings]
    rows.append(row + [film.patient] * patients + [film.split] * splits)
  return _csv(header, rows)


def _boxes(prepared: Prepared, prefix: pathlib.PurePosixPath) -> str:
  readers = any(box.reader for box in prepared.boxes)
  header = ["file", "finding", *prepared.columns] + ["rad_id"] * readers
  rows = (
    [
      str(prefix / b.file),
      b.finding,
      *(f"{number:.10g}" for number in b.numbers),
    ]
    + [b.reader] * readers
    for b in prepared.boxes
  )
  return _csv(header, rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  text = io.StringIO()
  writer = csv.writer(text, lineterminator="\n")
  writer.writerow(header)
  writer.writerows(rows)
  return text.getvalue()
