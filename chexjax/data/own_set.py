"""A set of one's own: a folder of images, `labels.csv` and `boxes.csv`.

  labels.csv   file,findings[,split][,patient]
  boxes.csv    file,finding,x,y,w,h

`file` is a path within the folder; no file is copied, moved or written there.
The other ways to write the tables are those of `own_tables` and `own_boxes`.
The classes are the findings that occur.

`split` is train, validation or test. Without that column patients (without
`patient`: images) are divided 70 : 10 : 20, always in the same way.
"""

import dataclasses
import pathlib
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.data import own_files, own_tables
from chexjax.data.decoding import read_grey
from chexjax.data.faults import fault_text
from chexjax.data.framing import frame_of, into_square
from chexjax.data.own_metadata import metadata_of
from chexjax.data.own_tables import SPLITS, Box, Row
from chexjax.data.sources import Dataset, open_chest_xray14

LABELS = "labels.csv"
BOXES = "boxes.csv"
# Shares of validation and test. The seed is fixed, so that a run with another
# --seed does not train on the test images of this one.
_SHARES = (0.1, 0.2)
_SPLIT_SEED = 0


class UnreadableFilm(OSError, ValueError):
  """A film that was whole by its header when the set was opened, and is not.

  It is an `OSError`, so that a run ends in a sentence, and goes on when the
  film is mended.
  """


@dataclasses.dataclass(frozen=True)
class Images:
  """A split of image files, which are read when an example is asked for.

  Attributes:
    paths: file -> where it is.
    rows: of labels.csv, in its order.
    boxes: file -> boxes, in fractions of the square image.
    patients: name -> number of each patient.
    findings: names of the classes.
    size: side of the images returned, in pixels.
    shape: how films become squares; see `framing`.
  """

  paths: dict[str, pathlib.Path]
  rows: tuple[Row, ...]
  boxes: dict[str, list[Box]]
  patients: dict[str, int]
  findings: tuple[str, ...]
  size: int
  shape: str = "squeeze"

  def __len__(self) -> int:
    """Return the number of examples."""
    return len(self.rows)

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Return an example; see `Source`.

    Raises:
      UnreadableFilm: the file is gone, or its pixels do not decode.
    """
    path = self.paths[self.rows[index].file]
    try:
      image = read_grey(path, self.size, shape=self.shape)
    except ValueError as error:
      raise UnreadableFilm(str(error)) from error
    return self.annotation(index) | {"image": image}

  def annotation(self, index: int) -> dict[str, Any]:
    """Return an example without its image; no file is read."""
    row = self.rows[index]
    boxes = self.boxes.get(row.file, [])
    labels = np.array([f in row.findings for f in self.findings], np.uint8)
    if row.unknown:
      labels = labels.astype(np.float32)
      labels[[self.findings.index(name) for name in row.unknown]] = np.nan
    return {
      "labels": labels,
      "objects": {
        "bbox": [box.bbox for box in boxes],
        "label": [self.findings.index(box.finding) for box in boxes],
      },
      "file_name": row.file.encode(),
      "patient_id": self.patients[row.patient],
      "patient": row.patient,
    }


def open_own_set(
  folder: pathlib.Path,
  *,
  size: int,
  shape: str = "squeeze",
  uncertain: str = "ignore",
  keep: pathlib.Path | None = None,
) -> Dataset:
  """Open a folder with a `labels.csv`; read only the headers of its images.

  Images are decoded when an example is asked for; see `read_grey`. What the
  tables were taken for is told.

  Args:
    folder: with labels.csv, the images and, if there are boxes, boxes.csv.
    size: side of the images returned, in pixels.
    shape: how films become squares: `squeeze` or `letterbox`; see `framing`.
    uncertain: what a label of -1 is: `ignore`, `positive` or `negative`.
    keep: folder for a list of faults that is too long to be shown.

  Returns:
    The splits that have images.

  Raises:
    FileNotFoundError: there is no labels.csv.
    ValueError: the tables or images have faults; lists them.
  """
  # An unknown shape is told before many files are read.
  frame_of((1, 1), size, shape)
  faults: list[str] = []
  faults += own_files.near_names(folder, (LABELS, BOXES))
  if faults and not (folder / LABELS).is_file():
    raise ValueError(fault_text(folder, faults, keep=keep))
  labels = own_tables.read_rows(folder / LABELS, faults, uncertain=uncertain)
  notes = labels.notes
  films = own_files.find_films(folder, LABELS, labels.rows, faults, notes)
  boxes: dict[str, list[Box]] = {}
  # Without labels every box would be at fault too.
  if labels.rows:
    path = folder / BOXES
    boxes = own_tables.read_boxes(
      path,
      labels,
      films.sizes,
      faults,
      doubted=labels.doubted,
      notes=notes,
    )
  if faults:
    raise ValueError(fault_text(folder, faults, keep=keep))
  for note in notes:
    messages.tell(note)
  rows, how = labels.rows, "column split"
  if not any(row.split for row in rows):
    rows, how = _divide(rows)
  messages.tell(f"{LABELS}: {len(rows)} images; splits: {how}")
  patients = {p: i for i, p in enumerate(sorted({r.patient for r in rows}))}
  squares = {
    file: [_in_square(box, films, file, size, shape) for box in own]
    for file, own in boxes.items()
  }
  splits: dict[str, Any] = {}
  for name in SPLITS:
    part = tuple(row for row in rows if row.split == name)
    if part:
      splits[name] = Images(
        films.paths, part, squares, patients, labels.findings, size, shape
      )
  metadata = metadata_of(
    folder, (LABELS, BOXES), rows, boxes, labels.findings, how, size, shape
  )
  return Dataset(splits, metadata)


def open_folder(
  folder: pathlib.Path,
  *,
  size: int,
  cache: pathlib.Path,
  shape: str = "squeeze",
  uncertain: str = "ignore",
) -> Dataset:
  """Open a folder: one's own set if it has a labels.csv, else ChestX-ray14.

  Args:
    folder: see `open_own_set` and `open_chest_xray14`.
    size: side of the images, in pixels.
    cache: folder for records of ChestX-ray14 and for long lists of faults.
    shape: see `open_own_set`; the films of ChestX-ray14 are squares.
    uncertain: see `open_own_set`; ChestX-ray14 has no uncertain label.

  Returns:
    The splits that have images.

  Raises:
    FileNotFoundError: images or tables are missing.
    ValueError: images or tables have faults; lists them.
  """
  own = (folder / LABELS).is_file() or own_files.near_names(folder, (LABELS,))
  if own:
    return open_own_set(
      folder, size=size, shape=shape, uncertain=uncertain, keep=cache
    )
  dataset = open_chest_xray14(folder, size=size, cache=cache)
  return Dataset(dataset.splits, dataset.metadata | {"shape": shape})


def _in_square(
  box: Box, films: own_files.Films, file: str, size: int, shape: str
) -> Box:
  """Return a box in fractions of the square that its film becomes."""
  film, placement = films.sizes[file], films.placements.get(file)
  if shape == "squeeze" and placement is None:
    return box
  ymin, xmin, ymax, xmax = box.bbox
  corners = np.array([xmin, ymin, xmax, ymax]) * np.tile(film, 2)
  if placement is not None:
    corners = placement.from_original(corners)
    film = placement.width, placement.height
  x1, y1, x2, y2 = (into_square(corners, film, size, shape) / size).tolist()
  return Box(box.finding, (y1, x1, y2, x2))


def _divide(rows: list[Row]) -> tuple[list[Row], str]:
  """Assign each patient to a split; return also a text that says how."""
  patients = np.array(sorted({row.patient for row in rows}))
  order = np.random.default_rng(_SPLIT_SEED).permutation(len(patients))
  counts = [max(1, round(share * len(patients))) for share in _SHARES]
  names = ["validation"] * counts[0] + ["test"] * counts[1]
  names += ["train"] * (len(patients) - len(names))
  split_of = dict(zip(patients[order], names))
  unit = "patient" if any(r.patient != r.file for r in rows) else "image"
  how = f"by {unit}, seed {_SPLIT_SEED}, 70 : 10 : 20"
  return [r._replace(split=split_of[r.patient]) for r in rows], how
