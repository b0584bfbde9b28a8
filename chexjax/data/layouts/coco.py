"""COCO: instances as JSON, with boxes x, y, width, height in pixels."""

import json
import pathlib
from typing import Any

from chexjax.data.label_cells import is_none
from chexjax.data.layouts.image_index import ImageIndex
from chexjax.data.layouts.prepared import (
  PIXELS,
  Prepared,
  PreparedBox,
  PreparedFilm,
  clean_names,
  labels_of,
)
from chexjax.data.own_tables import meant_split

_KEYS = ("images", "annotations", "categories")


def read(source: pathlib.Path, images: pathlib.Path) -> Prepared:
  """Read every JSON file of instances in the folder or in `annotations`.

  Several files are splits, which their names tell (`instances_val2017.json`).
  A film has the findings that it has a box of.

  Args:
    source: folder with the JSON files.
    images: folder with the images.

  Returns:
    Films, labels and boxes.

  Raises:
    FileNotFoundError: there is no such file.
    ValueError: a file has a fault.
  """
  paths = sorted([*source.glob("*.json"), *source.glob("annotations/*.json")])
  sets = {p: c for p in paths if (c := _load(p)) is not None}
  if not sets:
    raise FileNotFoundError(
      f"no JSON file with {', '.join(_KEYS)} in {source} or its annotations"
    )
  splits = {path: _split(path) if len(sets) > 1 else "" for path in sets}
  unclear = [path.name for path, s in splits.items() if len(sets) > 1 and not s]
  if unclear:
    raise ValueError(
      f"{source}: the names of {unclear} do not tell train, val or test"
    )
  names = clean_names(
    str(c["name"])
    for content in sets.values()
    for c in _entries(content, "categories", "id", "name")
    if not is_none(str(c["name"]))
  )
  findings = tuple(sorted(set(names.values())))
  index = ImageIndex(images)
  films: list[PreparedFilm] = []
  boxes: list[PreparedBox] = []
  notes = []
  for path, content in sets.items():
    try:
      own, drawn = _read_one(content, names, findings, index, splits[path])
    except (KeyError, TypeError, ValueError) as error:
      raise ValueError(f"{path}: {error}") from error
    films += own
    boxes += drawn
    notes.append(
      f"{path.name}: {len(content['images'])} films, "
      f"{len(content['annotations'])} annotations; {splits[path] or 'no split'}"
    )
  notes += index.notes()
  return Prepared(images, findings, films, boxes, PIXELS, notes)


def _load(path: pathlib.Path) -> dict[str, Any] | None:
  """Return a file's content, None if it holds something else."""
  try:
    content = json.loads(path.read_text(encoding="utf-8-sig"))
  except (ValueError, RecursionError) as error:
    raise ValueError(f"{path} is no JSON: {error}") from error
  whole = isinstance(content, dict) and all(
    isinstance(content.get(key), list) for key in _KEYS
  )
  return content if whole else None


def _split(path: pathlib.Path) -> str:
  """Return the split that a file's name tells."""
  words = path.stem.replace("-", "_").split("_")
  found = [meant_split(word.rstrip("0123456789")) for word in words]
  return next((split for split in found if split), "")


def _entries(
  content: dict[str, Any], key: str, *fields: str
) -> list[dict[str, Any]]:
  """Return a list's entries, each of which has some fields."""
  for number, entry in enumerate(content[key]):
    missing = [
      f for f in fields if not isinstance(entry, dict) or f not in entry
    ]
    if missing:
      raise ValueError(f"{key}[{number}] lacks {', '.join(missing)}")
  return content[key]


def _read_one(
  content: dict[str, Any],
  names: dict[str, str],
  findings: tuple[str, ...],
  index: ImageIndex,
  split: str,
) -> tuple[list[PreparedFilm], list[PreparedBox]]:
  """Return the films and boxes of one file."""
  categories = {
    entry["id"]: names.get(str(entry["name"]), "")
    for entry in _entries(content, "categories", "id", "name")
  }
  files = {
    entry["id"]: index.find(str(entry["file_name"]))
    for entry in _entries(content, "images", "id", "file_name")
  }
  present: dict[Any, set[str]] = {image: set() for image in files}
  boxes = []
  fields = ("image_id", "category_id", "bbox")
  for n, entry in enumerate(_entries(content, "annotations", *fields)):
    image, category, box = (entry[field] for field in fields)
    if image not in files or category not in categories:
      raise ValueError(
        f"annotations[{n}]: image_id {image} or category_id {category} is "
        "not listed"
      )
    if not isinstance(box, list) or len(box) != 4:
      raise ValueError(f"annotations[{n}]: bbox is {box}, not 4 numbers")
    finding = categories[category]
    if not finding:  # `No finding` as a category.
      continue
    present[image].add(finding)
    if files[image]:
      x, y, w, h = map(float, box)
      boxes.append(PreparedBox(files[image], finding, (x, y, w, h)))
  films = [
    PreparedFilm(file, labels_of(present[image], findings), split=split)
    for image, file in files.items()
    if file
  ]
  return films, boxes
