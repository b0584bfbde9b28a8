"""RSNA Pneumonia Detection Challenge (Shih et al. 2019)."""

import collections
import pathlib

from chexjax.data.layouts.image_index import ImageIndex
from chexjax.data.layouts.prepared import (
  PIXELS,
  Prepared,
  PreparedBox,
  PreparedFilm,
  labels_of,
)
from chexjax.data.layouts.tables import find_table, numbers_of, read_columns

FINDING = "Lung Opacity"
_BOX = ("x", "y", "width", "height")


def read(source: pathlib.Path, images: pathlib.Path) -> Prepared:
  """Read stage_2_train_labels.csv; count the classes of the detailed table.

  Target 1 is the finding `Lung Opacity`. The films that the detailed table
  calls `No Lung Opacity / Not Normal` are without it.

  Args:
    source: folder with the tables.
    images: folder with the images.

  Returns:
    Films, labels and boxes; every film is a patient of its own.

  Raises:
    FileNotFoundError: the table is missing.
    ValueError: the table has a fault.
  """
  path = find_table(source, "stage_2_train_labels.csv")
  index = ImageIndex(images)
  files: dict[str, str] = {}
  target: dict[str, str] = {}
  boxes, lines = [], 0
  for number, cells in read_columns(path, "patientId", *_BOX, "Target"):
    lines += 1
    image, where = cells["patientId"], f"{path} line {number}"
    if cells["Target"] not in ("0", "1"):
      raise ValueError(
        f"{where}: Target is {cells['Target']!r}, must be 0 or 1"
      )
    if target.setdefault(image, cells["Target"]) != cells["Target"]:
      raise ValueError(f"{where}: Target of {image} is both 0 and 1")
    if image not in files:
      files[image] = index.find(image)
    if cells["Target"] == "1":
      numbers = numbers_of([cells[name] for name in _BOX], where)
      if files[image]:
        boxes.append(PreparedBox(files[image], FINDING, numbers))
  films = [
    PreparedFilm(
      file,
      labels_of([FINDING] if target[image] == "1" else [], (FINDING,)),
      patient=image,
    )
    for image, file in files.items()
    if file
  ]
  notes = [f"{path.name}: {lines} lines of {len(files)} films"]
  notes += _detailed(source)
  return Prepared(
    images, (FINDING,), films, boxes, PIXELS, notes + index.notes()
  )


def _detailed(source: pathlib.Path) -> list[str]:
  """Return how many films have which class of the detailed table."""
  try:
    path = find_table(source, "stage_2_detailed_class_info.csv")
  except FileNotFoundError:
    return []
  of = {c["patientId"]: c["class"] for _, c in
        read_columns(path, "patientId", "class")}  # fmt: skip
  each = collections.Counter(of.values())
  counts = ", ".join(f"{name}: {count}" for name, count in sorted(each.items()))
  return [f"{path.name}: {counts}; the last two are both without {FINDING}"]
