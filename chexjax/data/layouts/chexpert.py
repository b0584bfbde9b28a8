"""CheXpert (Irvin et al. 2019): 14 columns of 1, 0, -1 and empty cells.

An empty cell says that a report does not mention the finding, which the paper
takes for its absence. -1 stays uncertain. The published train.csv is divided by
patient into training and validation, and valid.csv, read by radiologists, is
the test split, unless test.csv is there too.
"""

import hashlib
import pathlib

from chexjax.data.columns import plain
from chexjax.data.label_cells import is_none, parse_label
from chexjax.data.layouts.image_index import ImageIndex
from chexjax.data.layouts.prepared import (
  ABSENT,
  PIXELS,
  PRESENT,
  UNCERTAIN,
  Prepared,
  PreparedFilm,
)
from chexjax.data.layouts.tables import find_table, open_table
from chexjax.data.tables import Table

_ABOUT = ("path", "sex", "age", "frontallateral", "appa")
# One training patient in ten is for validation.
_SHARE = 10


def read(source: pathlib.Path, images: pathlib.Path) -> Prepared:
  """Read train.csv, valid.csv and test.csv; lateral films are left out.

  Args:
    source: folder with the tables.
    images: folder with the images, or one above or below it.

  Returns:
    Films and labels; there are no boxes.

  Raises:
    FileNotFoundError: train.csv is missing.
    ValueError: a table has a fault.
  """
  train = find_table(source, "train.csv")
  rest = [
    p for n in ("valid", "test") if (p := train.with_name(f"{n}.csv")).is_file()
  ]
  splits = dict(zip(rest[::-1], ("test", "validation")))
  index = ImageIndex(images)
  films: list[PreparedFilm] = []
  findings: tuple[str, ...] = ()
  notes = []
  for path in (train, *rest):
    table = open_table(path, "Path")
    names = _findings(table)
    if findings and names != findings:
      raise ValueError(f"{path} has other findings than {train.name}: {names}")
    findings = names
    split = splits.get(path, "train" if rest else "")
    own, lateral = _films(path, table, names, index, split)
    films += own
    notes.append(
      f"{path.name}: {len(table.lines)} lines, {lateral} lateral films left "
      f"out; {split or 'divided by patient'}"
    )
  if rest and "validation" not in splits.values():
    films = _with_validation(films)
    notes.append(f"one patient in {_SHARE} of {train.name} is for validation")
  notes.append("empty cells are taken for absent, -1 stays uncertain")
  ordered = tuple(sorted(findings))
  return Prepared(images, ordered, films, [], PIXELS, notes + index.notes())


def _findings(table: Table) -> tuple[str, ...]:
  return tuple(
    name
    for name in table.header
    if plain(name) not in _ABOUT and not is_none(name)
  )


def _films(
  path: pathlib.Path,
  table: Table,
  findings: tuple[str, ...],
  index: ImageIndex,
  split: str,
) -> tuple[list[PreparedFilm], int]:
  """Return the frontal films of a table, and the number of lateral ones."""
  films, lateral = [], 0
  file_at = [plain(name) for name in table.header].index("path")
  places = [table.column(name) for name in findings]
  for number, cells in table.lines:
    published = cells[file_at]
    if "lateral" in published.casefold() or "Lateral" in cells:
      lateral += 1
      continue
    labels = {}
    for name, place in zip(findings, places):
      value = parse_label(cells[place])
      if value is None:
        raise ValueError(
          f"{path} line {number}: {name} is {cells[place]!r}, must be 1, 0, -1 "
          "or empty"
        )
      known = {1: PRESENT, -1: UNCERTAIN}
      labels[name] = known.get(int(value), ABSENT) if value == value else ABSENT
    file = index.find(published)
    if file:
      films.append(PreparedFilm(file, labels, _patient(published), split))
  return films, lateral


def _patient(published: str) -> str:
  """Return the folder `patient00001` of a path, else the path."""
  parts = pathlib.PurePosixPath(published).parts
  return next((p for p in parts if p.startswith("patient")), published)


def _with_validation(films: list[PreparedFilm]) -> list[PreparedFilm]:
  """Give training patients to validation, always the same ones."""
  patients = {film.patient for film in films if film.split == "train"}
  order = sorted(patients, key=lambda p: hashlib.sha256(p.encode()).digest())
  chosen = set(order[: max(1, len(order) // _SHARE)])
  return [
    film._replace(split="validation")
    if film.split == "train" and film.patient in chosen
    else film
    for film in films
  ]
