"""`evaluation.npz`: what was scored, so that two models can be compared later.

One file of plain arrays (no pickles): the images with labels and scores, and
the localisation table with a box for every threshold.
"""

import json
import pathlib
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.localization_table import LocalizationTable
from chexjax.evaluation.measures.heat_maps import MapRule
from chexjax.evaluation.scored_images import Images
from chexjax.io import replacing

VERSION = 1
NAME = "evaluation.npz"
_NESTED = ("boxes", "cdice", "peak", "best_iou", "released")


class Record(NamedTuple):
  """What `save` stored.

  Attributes:
    images: an `Images`.
    table: a `LocalizationTable`.
    component: the component rule of the main figures.
  """

  images: Images
  table: LocalizationTable
  component: str


def _flatten(tree, path):
  if isinstance(tree, np.ndarray):
    yield "/".join(path), tree
    return
  for key, value in tree.items():
    yield from _flatten(value, (*path, key))


def save(path, images, table, component="largest"):
  """Write `evaluation.npz`.

  Args:
    path: file to write; a scratch file is renamed, so it is whole or absent.
    images: an `Images`.
    table: a `LocalizationTable`.
    component: the component rule of the main figures.
  """
  path = pathlib.Path(path)
  arrays = {f"images/{k}": np.asarray(v) for k, v in images._asdict().items()}
  for key, value in table._asdict().items():
    if key in _NESTED:
      arrays |= dict(_flatten(value, ("table", key)))
    elif key != "maps":
      arrays[f"table/{key}"] = np.asarray(value)
  maps = {name: list(rule) for name, rule in table.maps.items()}
  about = {"version": VERSION, "maps": maps, "component": component}
  arrays["about"] = np.array(json.dumps(about))
  # A file and not its name, to which numpy would append `.npz`.
  with replacing(path) as scratch, scratch.open("wb") as file:
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def load(path):
  """Read `evaluation.npz` as a `Record`.

  Raises:
    FileNotFoundError: it is not there.
    ValueError: it is of another version.
  """
  with np.load(path) as file:
    arrays = {name: file[name] for name in file.files}
  about = json.loads(str(arrays["about"]))
  if about["version"] != VERSION:
    raise ValueError(
      f"{path} has version {about['version']}, want {VERSION}; evaluate again"
    )
  images = {k: arrays[f"images/{k}"] for k in Images._fields}
  images["names"] = tuple(images["names"].tolist())
  fields: dict = {key: {} for key in _NESTED}
  for name, value in arrays.items():
    room, _, rest = name.partition("/")
    if room != "table":
      continue
    key, *path_in = rest.split("/")
    if not path_in:
      fields[key] = value
      continue
    tree = fields[key]
    for step in path_in[:-1]:
      tree = tree.setdefault(step, {})
    tree[path_in[-1]] = value
  height, width = fields["frame"]
  fields["frame"] = (int(height), int(width))
  maps = {name: MapRule(*rule) for name, rule in about["maps"].items()}
  return Record(
    Images(**images),
    LocalizationTable(maps=maps, **fields),
    about["component"],
  )
