"""VinDr-CXR (Nguyen et al. 2022): a line for each box of each reader.

Every film was read by three radiologists. A film has a finding if one of them
saw it, and the boxes of all of them are kept, as in the published baseline.
"""

import pathlib

from chexjax.data.label_cells import is_none
from chexjax.data.layouts.image_index import ImageIndex
from chexjax.data.layouts.prepared import (
  CORNERS,
  Prepared,
  PreparedBox,
  PreparedFilm,
  clean_names,
  labels_of,
)
from chexjax.data.layouts.tables import find_table, numbers_of, read_columns

_CORNERS = ("x_min", "y_min", "x_max", "y_max")


def read(source: pathlib.Path, images: pathlib.Path) -> Prepared:
  """Read train.csv, or annotations_train.csv of PhysioNet.

  Args:
    source: folder with the table.
    images: folder with the images.

  Returns:
    Films, labels and boxes; no patient and no split is published.

  Raises:
    FileNotFoundError: the table is missing.
    ValueError: the table has a fault.
  """
  path = find_table(source, "train.csv", "annotations_train.csv")
  columns = read_columns(
    path, "image_id", "class_name", *_CORNERS, optional=("rad_id",)
  )
  lines = list(columns)
  names = clean_names(
    {c["class_name"] for _, c in lines if not is_none(c["class_name"])}
  )
  index = ImageIndex(images)
  files: dict[str, str] = {}
  present: dict[str, set[str]] = {}
  boxes, readers, without = [], set(), 0
  for number, cells in lines:
    image = cells["image_id"]
    if image not in files:
      files[image] = index.find(image)
    own = present.setdefault(image, set())
    readers.add(cells["rad_id"])
    if is_none(cells["class_name"]):
      without += 1
      continue
    finding = names[cells["class_name"]]
    own.add(finding)
    numbers = numbers_of([cells[c] for c in _CORNERS], f"{path} line {number}")
    if files[image]:
      boxes.append(PreparedBox(files[image], finding, numbers, cells["rad_id"]))
  findings = tuple(sorted(set(names.values())))
  films = [
    PreparedFilm(file, labels_of(present[image], findings))
    for image, file in files.items()
    if file
  ]
  notes = [
    f"{path.name}: {len(lines)} lines, {without} of them without a finding, of "
    f"{len(files)} films and {len(readers)} readers; a film has what one "
    "reader saw"
  ]
  return Prepared(
    images, findings, films, boxes, CORNERS, notes + index.notes()
  )
