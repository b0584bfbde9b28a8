"""YOLO: a text file beside each image, a line for each box.

The text of `images/train/a.png` is `labels/train/a.txt`, that of
`train/images/a.png` is `train/labels/a.txt`. An image without one has no
finding. Folders named train, val and test are splits.
"""

import pathlib

import yaml

from chexjax.data.label_cells import is_none
from chexjax.data.layouts.image_index import ImageIndex
from chexjax.data.layouts.prepared import (
  FRACTIONS,
  Prepared,
  PreparedBox,
  PreparedFilm,
  clean_names,
  labels_of,
)
from chexjax.data.layouts.tables import numbers_of
from chexjax.data.own_tables import meant_split

_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
_PLACES = ("images", "labels")


def read(source: pathlib.Path, images: pathlib.Path) -> Prepared:
  """Read the names of the classes and the text of every image.

  Args:
    source: folder with the names and the texts.
    images: folder with the images.

  Returns:
    Films, labels and boxes.

  Raises:
    FileNotFoundError: there are no names or no texts.
    ValueError: a file has a fault.
  """
  published = _names(source)
  names = clean_names(published)
  findings = tuple(
    sorted({ours for name, ours in names.items() if not is_none(name)})
  )
  texts = {
    _key(path.relative_to(source)): path
    for path in sorted(source.rglob("*.txt"))
    if "labels" in path.relative_to(source).parts[:-1]
  }
  if not texts:
    raise FileNotFoundError(f"no text file in a folder labels of {source}")
  index = ImageIndex(images)
  films, boxes, empty = [], [], 0
  for file in index.files:
    text = texts.pop(_key(file), None)
    drawn = [] if text is None else _boxes(text, file.as_posix(), published)
    drawn = [b._replace(finding=names[b.finding]) for b in drawn
             if not is_none(b.finding)]  # fmt: skip
    empty += not drawn
    boxes += drawn
    labels = labels_of({box.finding for box in drawn}, findings)
    films.append(PreparedFilm(file.as_posix(), labels, split=_split(file)))
  if len({bool(film.split) for film in films}) > 1:
    odd = next(film.file for film in films if not film.split)
    raise ValueError(f"{images}: some images are in no split, such as {odd}")
  notes = [f"{len(films)} images, {empty} of them without a box"]
  if texts:
    notes.append(
      f"{len(texts)} texts have no image, such as {next(iter(texts.values()))}"
    )
  notes += index.notes()
  return Prepared(images, findings, films, boxes, FRACTIONS, notes)


def _key(path: pathlib.PurePath) -> tuple[str, ...]:
  """Return what an image's path and its text's have in common."""
  folders = [part for part in path.parts[:-1] if part not in _PLACES]
  return (*folders, path.stem)


def _split(path: pathlib.PurePath) -> str:
  found = [meant_split(part) for part in path.parts[:-1]]
  return next((split for split in found if split), "")


def _names(source: pathlib.Path) -> list[str]:
  """Return the names of the classes, by number."""
  for name in _NAMES:
    for path in (source / name, source / "labels" / name):
      if path.is_file():
        return _read_names(path)
  raise FileNotFoundError(f"no {' or '.join(_NAMES)} in {source}")


def _read_names(path: pathlib.Path) -> list[str]:
  text = path.read_text(encoding="utf-8-sig")
  if path.suffix not in (".yaml", ".yml"):
    return [line.strip() for line in text.splitlines() if line.strip()]
  try:
    content = yaml.safe_load(text)
  except yaml.YAMLError as error:
    raise ValueError(f"{path} is no YAML: {error}") from error
  names = content.get("names") if isinstance(content, dict) else None
  if isinstance(names, dict) and sorted(names) == list(range(len(names))):
    names = [names[number] for number in range(len(names))]
  if not isinstance(names, list) or not names:
    raise ValueError(f"{path}: names must list the classes, got {names!r}")
  return [str(name) for name in names]


def _boxes(
  path: pathlib.Path, file: str, names: list[str]
) -> list[PreparedBox]:
  """Return the boxes of a text, with the published names."""
  boxes = []
  for number, line in enumerate(path.read_text().splitlines(), 1):
    cells = line.split()
    if not cells:
      continue
    where = f"{path} line {number}"
    # A sixth number is a confidence.
    if len(cells) not in (5, 6):
      raise ValueError(
        f"{where}: {len(cells)} numbers, must be class, x, y, width, height"
      )
    if not cells[0].isdigit() or int(cells[0]) >= len(names):
      raise ValueError(
        f"{where}: class {cells[0]!r} is none of the {len(names)} names"
      )
    box = numbers_of(cells[1:5], where)
    boxes.append(PreparedBox(file, names[int(cells[0])], box))
  return boxes
