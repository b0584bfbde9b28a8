"""A set of one's own: a folder of images, `labels.csv` and `boxes.csv`.

  labels.csv   file,findings[,split][,patient]
  boxes.csv    file,finding,x,y,w,h

`file` is a path within the folder. `findings` are separated by `|`; an empty
field or `No Finding` is none. The classes are the findings that occur. Boxes
are in pixels of the file's own image, origin top left.

`split` is train, validation or test. Without that column patients (without
`patient`: images) are divided 70 : 10 : 20, always in the same way.
"""

import dataclasses
import hashlib
import pathlib
from concurrent import futures
from typing import Any

import numpy as np
from PIL import Image

from chexjax.data import own_tables
from chexjax.data.decoding import read_grey
from chexjax.data.own_tables import Box, Row
from chexjax.data.sources import Dataset, open_chest_xray14
from tfds_chestxray14.encoding import check_pixels

LABELS = "labels.csv"
BOXES = "boxes.csv"
SPLITS = ("train", "validation", "test")
# Shares of validation and test. The seed is fixed, so that a run with another
# --seed does not train on the test images of this one.
_SHARES = (0.1, 0.2)
_SPLIT_SEED = 0


@dataclasses.dataclass(frozen=True)
class Images:
  """A split of image files, which are read when an example is asked for.

  Attributes:
    folder: holds the files.
    rows: of labels.csv, in its order.
    boxes: file -> boxes, in fractions of the image.
    patients: name -> number of each patient.
    findings: names of the classes.
    size: side of the images returned, in pixels.
  """

  folder: pathlib.Path
  rows: tuple[Row, ...]
  boxes: dict[str, list[Box]]
  patients: dict[str, int]
  findings: tuple[str, ...]
  size: int

  def __len__(self) -> int:
    """Return the number of examples."""
    return len(self.rows)

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Return an example; see `Source`."""
    path = self.folder / self.rows[index].file
    return self.annotation(index) | {"image": read_grey(path, self.size)}

  def annotation(self, index: int) -> dict[str, Any]:
    """Return an example without its image; no file is read."""
    row = self.rows[index]
    boxes = self.boxes.get(row.file, [])
    return {
      "labels": np.array([f in row.findings for f in self.findings], np.uint8),
      "objects": {
        "bbox": [box.bbox for box in boxes],
        "label": [self.findings.index(box.finding) for box in boxes],
      },
      "file_name": row.file.encode(),
      "patient_id": self.patients[row.patient],
    }


def open_own_set(folder: pathlib.Path, *, size: int) -> Dataset:
  """Open a folder with a `labels.csv`; read only the headers of its images.

  Images are decoded when an example is asked for; see `read_grey`.

  Args:
    folder: with labels.csv, the images and, if there are boxes, boxes.csv.
    size: side of the images returned, in pixels.

  Returns:
    The splits that have images.

  Raises:
    FileNotFoundError: there is no labels.csv.
    ValueError: the tables or images have faults; lists all of them.
  """
  faults: list[str] = []
  rows = own_tables.read_rows(folder / LABELS, faults)
  sizes = _image_sizes(folder, rows, faults)
  boxes = own_tables.read_boxes(folder / BOXES, rows, sizes, faults)
  if faults:
    raise ValueError(
      f"{len(faults)} faults in {folder}:\n"
      + "\n".join(f"  - {fault}" for fault in faults)
    )
  how = "column split"
  if not any(row.split for row in rows):
    rows, how = _divide(rows)
  findings = tuple(sorted({name for row in rows for name in row.findings}))
  patients = {p: i for i, p in enumerate(sorted({r.patient for r in rows}))}
  splits: dict[str, Any] = {}
  for name in SPLITS:
    own = tuple(row for row in rows if row.split == name)
    if own:
      splits[name] = Images(folder, own, boxes, patients, findings, size)
  return Dataset(splits, _metadata(folder, rows, boxes, findings, how, size))


def open_folder(
  folder: pathlib.Path, *, size: int, cache: pathlib.Path
) -> Dataset:
  """Open a folder: one's own set if it has a labels.csv, else ChestX-ray14.

  Args:
    folder: see `open_own_set` and `open_chest_xray14`.
    size: side of the images, in pixels.
    cache: folder for records of ChestX-ray14; one's own set needs none.

  Returns:
    The splits that have images.

  Raises:
    FileNotFoundError: images or tables are missing.
    ValueError: images or tables have faults; lists them.
  """
  if (folder / LABELS).is_file():
    return open_own_set(folder, size=size)
  return open_chest_xray14(folder, size=size, cache=cache)


def _image_sizes(
  folder: pathlib.Path, rows: list[Row], faults: list[str]
) -> dict[str, tuple[int, int]]:
  """Read the width and height of every image from its header."""
  sizes = {}
  with futures.ThreadPoolExecutor() as pool:
    found = pool.map(lambda row: _probe(folder / row.file), rows)
    for row, result in zip(rows, found):
      if isinstance(result, str):
        faults.append(f"{LABELS} line {row.line}: {row.file} {result}")
      else:
        sizes[row.file] = result
  return sizes


def _probe(path: pathlib.Path) -> tuple[int, int] | str:
  """Return an image's width and height, or what is wrong with the file."""
  if not path.is_file():
    return "is not in the folder"
  try:
    with Image.open(path) as image:
      if image.format not in ("PNG", "JPEG"):
        return f"is {image.format}, must be PNG or JPEG"
      check_pixels(image)
      return image.size
  except Exception as error:  # Pillow raises many types for damaged files.
    reason = str(error) if isinstance(error, ValueError) else ""
    return f"is no image: {reason or type(error).__name__}"


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


def _metadata(
  folder: pathlib.Path,
  rows: list[Row],
  boxes: dict[str, list[Box]],
  findings: tuple[str, ...],
  how: str,
  size: int,
) -> dict[str, Any]:
  """Return the record of the data that results hold."""
  lines = sorted(f"{row.split} {row.file}\n" for row in rows)
  boxed = {box.finding for of_file in boxes.values() for box in of_file}
  tables = [p for p in (folder / LABELS, folder / BOXES) if p.is_file()]
  return {
    "name": f"folder {folder.resolve().name}",
    "findings": list(findings),
    "boxed_findings": [name for name in findings if name in boxed],
    "size": size,
    "validation": how,
    "split_hash": hashlib.sha256("".join(lines).encode()).hexdigest(),
    "files": {
      p.name: {"sha256": hashlib.sha256(p.read_bytes()).hexdigest()}
      for p in tables
    },
    "counts": {
      name: _counts([r for r in rows if r.split == name], boxes, findings)
      for name in SPLITS
    },
  }


def _counts(
  rows: list[Row], boxes: dict[str, list[Box]], findings: tuple[str, ...]
) -> dict[str, Any]:
  return {
    "found": len(rows),
    "patients": len({row.patient for row in rows}),
    "boxes": sum(len(boxes.get(row.file, ())) for row in rows),
    "positives": {f: sum(f in row.findings for row in rows) for f in findings},
  }
