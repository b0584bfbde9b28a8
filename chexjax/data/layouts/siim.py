"""SIIM-ACR Pneumothorax Segmentation: masks as run lengths.

A mask has 1024 x 1024 pixels, counted down the columns. Its numbers are pairs:
pixels to skip since the last run, and the length of a run. Every connected part
of a mask becomes a box.
"""

import pathlib

import cv2
import numpy as np

from chexjax.data.layouts.image_index import ImageIndex
from chexjax.data.layouts.prepared import (
  FRACTIONS,
  Prepared,
  PreparedBox,
  PreparedFilm,
  labels_of,
)
from chexjax.data.layouts.tables import find_table, read_columns

FINDING = "Pneumothorax"
_SIDE = 1024
_NONE = "-1"


def read(source: pathlib.Path, images: pathlib.Path) -> Prepared:
  """Read train-rle.csv.

  Args:
    source: folder with the table.
    images: folder with the images.

  Returns:
    Films, labels and boxes; every film is a patient of its own.

  Raises:
    FileNotFoundError: the table is missing.
    ValueError: the table has a fault.
  """
  path = find_table(source, "train-rle.csv", "stage_2_train.csv")
  index = ImageIndex(images)
  files: dict[str, str] = {}
  parts: dict[str, list[tuple[float, float, float, float]]] = {}
  lines = 0
  for number, cells in read_columns(path, "ImageId", "EncodedPixels"):
    lines += 1
    image, code = cells["ImageId"], cells["EncodedPixels"]
    if image not in files:
      files[image] = index.find(image)
    own = parts.setdefault(image, [])
    if code and code != _NONE:
      own += mask_boxes(decode_mask(code, where=f"{path} line {number}"))
  films = [
    PreparedFilm(
      file, labels_of([FINDING] if parts[image] else [], (FINDING,)), image
    )
    for image, file in files.items()
    if file
  ]
  boxes = [
    PreparedBox(file, FINDING, box)
    for image, file in files.items()
    if file
    for box in parts[image]
  ]
  masked = sum(bool(own) for own in parts.values())
  notes = [
    f"{path.name}: {lines} lines of {len(files)} films, {masked} of them with "
    "a mask; every connected part of a mask is a box"
  ]
  return Prepared(
    images, (FINDING,), films, boxes, FRACTIONS, notes + index.notes()
  )


def decode_mask(code: str, *, where: str) -> np.ndarray:
  """Return a mask from its run lengths.

  Args:
    code: numbers, separated by spaces.
    where: of the line, for the message.

  Returns:
    `[1024, 1024]` uint8, 0 or 1.

  Raises:
    ValueError: the code is no list of pairs, or leaves the mask.
  """
  try:
    runs = np.array([int(number) for number in code.split()])
  except ValueError as error:
    raise ValueError(f"{where}: EncodedPixels is no list of numbers") from error
  ends = np.cumsum(runs)
  if len(runs) % 2 or (runs < 0).any() or ends[-1] > _SIDE**2:
    raise ValueError(
      f"{where}: EncodedPixels must be pairs of numbers, within {_SIDE} x "
      f"{_SIDE} pixels"
    )
  mask = np.zeros(_SIDE**2, np.uint8)
  for start, end in ends.reshape(-1, 2):
    mask[start:end] = 1
  return mask.reshape(_SIDE, _SIDE).T


def mask_boxes(
  mask: np.ndarray,
) -> list[tuple[float, float, float, float]]:
  """Return centre and size of every connected part, as fractions.

  Args:
    mask: `[H, W]` uint8, 0 or 1.
  """
  height, width = mask.shape
  # The first part is the background.
  _, _, stats, _ = cv2.connectedComponentsWithStats(
    np.ascontiguousarray(mask), connectivity=8
  )
  return [
    ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
    for x, y, w, h in stats[1:, :4].tolist()
  ]
