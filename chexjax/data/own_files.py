"""The films that labels.csv names, and what else lies in the folder."""

import pathlib
from collections.abc import Sequence
from concurrent import futures
from typing import NamedTuple

from chexjax.data.decoding import contrast_notes, read_upright
from chexjax.data.folders import DICOM, SUFFIXES, Finder, files_under
from chexjax.data.headers import Header, read_header
from chexjax.data.own_tables import Row
from chexjax.dicom.placement import Placement

# Films of 16 bits that are decoded, to see whether they use them.
_LOOKED_AT = 4
# Name of a table in lower case -> the one that it means.
_MEANT = dict.fromkeys(("labels", "label"), "labels") | dict.fromkeys(
  ("boxes", "box", "bbox", "bboxes"), "boxes"
)
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xls", ".xlsx")


class Films(NamedTuple):
  """The films that can be read.

  Attributes:
    paths: file -> where it is.
    sizes: file -> width and height of the frame that boxes are in, in pixels:
      the film as viewers show it, of a DICOM file its stored pixels.
    placements: file -> how a DICOM film is shown.
  """

  paths: dict[str, pathlib.Path]
  sizes: dict[str, tuple[int, int]]
  placements: dict[str, Placement]


def near_names(folder: pathlib.Path, wanted: Sequence[str]) -> list[str]:
  """Return a fault for every table whose name is nearly one that is read.

  Args:
    folder: of the set.
    wanted: names of tables; those that are there are not looked for.
  """
  if not folder.is_dir():
    return []
  lacking = {
    name.removesuffix(".csv"): name
    for name in wanted
    if not (folder / name).is_file()
  }
  faults = []
  for path in sorted(folder.iterdir()):
    name = lacking.get(_MEANT.get(path.stem.casefold(), ""))
    if name and path.suffix.lower() in _TABLE_SUFFIXES and path.is_file():
      faults.append(f"{path.name} is not read; did you mean {name}? Rename it")
  return faults


def find_films(
  folder: pathlib.Path,
  table: str,
  rows: list[Row],
  faults: list[str],
  notes: list[str],
) -> Films:
  """Find the rows' files and read their headers.

  Args:
    folder: of the set.
    table: name of the table that the rows are from.
    rows: of the table.
    faults: list to which a text is appended for every fault.
    notes: list to which a text is appended for what a person should know.

  Returns:
    The films without a fault.
  """
  finder = Finder(folder)
  paths = {row.file: finder.find(row.file) for row in rows if row.file}
  with futures.ThreadPoolExecutor() as pool:
    headers = dict(zip(paths, pool.map(_header, paths.values())))
  films = Films({}, {}, {})
  turned, laterals, deep = 0, 0, []
  for row in rows:
    header, path = headers.get(row.file), paths.get(row.file)
    if path is None or header is None:
      if row.file:
        hint = finder.hint(row.file)
        hint = f"; did you mean {hint}?" if hint else ""
        faults.append(
          f"{table} line {row.line}: {row.file} is not in the folder{hint}"
        )
    elif isinstance(header, str):
      faults.append(f"{table} line {row.line}: {row.file} {header}")
    else:
      films.paths[row.file] = path
      films.sizes[row.file] = header.width, header.height
      turned += header.turned
      laterals += header.view == "lateral"
      if header.placement is not None:
        films.placements[row.file] = header.placement
      if header.deep:
        deep.append(path)
  if turned:
    notes.append(
      f"{turned} films are turned as their EXIF orientation says; boxes must "
      "be in pixels of the turned film, as viewers show it"
    )
  notes += _dicom_notes(films, laterals)
  notes += [*_dark(deep), *_surplus(folder, films)]
  return films


def _header(path: pathlib.Path | None) -> Header | str | None:
  return None if path is None else read_header(path)


def _dicom_notes(films: Films, laterals: int) -> list[str]:
  """Return how many films are DICOM, turned, and lateral views."""
  if not films.placements:
    return []
  notes = [
    f"{len(films.placements)} films are DICOM files; boxes must be in their "
    "stored pixels"
  ]
  turned = sum(placement.turned for placement in films.placements.values())
  if turned:
    notes.append(f"{turned} of them are turned as Patient Orientation says")
  if laterals:
    notes.append(
      f"{laterals} of them are lateral views by their headers; they are read "
      "like the others, so leave them out of labels.csv unless they are meant"
    )
  return notes


def _dark(deep: list[pathlib.Path]) -> list[str]:
  """Return a note if films of 16 bits use a part of their range alone."""
  dark = 0
  for path in deep[:_LOOKED_AT]:
    try:
      dark += bool(contrast_notes(read_upright(path).grey))
    except ValueError:  # Told when the film is needed.
      continue
  if not dark:
    return []
  return [
    f"{dark} of {min(len(deep), _LOOKED_AT)} films of 16 bits use a small part "
    "of their range (12 bits stored in 16?); they will be almost black"
  ]


def _surplus(folder: pathlib.Path, films: Films) -> list[str]:
  """Return notes of image files that no row names."""
  found, clutter = files_under(folder, suffixes=(*SUFFIXES, *DICOM))
  # A row that leads out of the folder is named with the other faults.
  own = set(films.paths.values())
  surplus = [path for path in found if folder / path not in own]
  notes = []
  if surplus:
    notes.append(
      f"{len(surplus)} image files have no line in labels.csv and are not "
      f"read, such as {surplus[0]}"
    )
  if clutter:
    notes.append(f"{clutter} hidden and system files are ignored")
  return notes
