"""`evaluation.npz`: what was scored, so that two models can be compared later.

One file of plain arrays (no pickles): the images with labels and scores, and
the localisation table with a box for every threshold.
"""

import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.collected.scored_model import ScoredModel
from chexjax.evaluation.measures.heat_maps import MapRule
from chexjax.io import replacing

VERSION = 1
NAME = "evaluation.npz"
# Fields of the table that are nested dicts of arrays.
_NESTED = ("boxes", "cdice", "peak", "best_iou", "released", "wang")


def save(
  path: str | os.PathLike[str],
  images: ScoredImages,
  table: LocalizationTable,
  *,
  component: str = "largest",
) -> None:
  """Write `evaluation.npz`.

  Args:
    path: file to write; a scratch file is renamed, so it is whole or absent.
    images: labels and scores.
    table: the predicted boxes of every true box.
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
  # An open file, since numpy would append `.npz` to the scratch name.
  with replacing(path) as scratch, scratch.open("wb") as file:
    # numpy's stub takes keywords of any name for `allow_pickle`.
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _flatten(
  tree: Any, path: tuple[str, ...]
) -> Iterator[tuple[str, np.ndarray]]:
  """Yield the path of every array, `a/b/c`, and the array."""
  if isinstance(tree, np.ndarray):
    yield "/".join(path), tree
    return
  for key, value in tree.items():
    yield from _flatten(value, (*path, key))


def load(path: str | os.PathLike[str]) -> ScoredModel:
  """Read `evaluation.npz`.

  Args:
    path: file to read.

  Returns:
    What `save` stored.

  Raises:
    FileNotFoundError: if it is not there.
    ValueError: if it is of another version, or is damaged.
  """
  try:
    with np.load(path) as file:
      arrays = {name: file[name] for name in file.files}
    about = json.loads(str(arrays["about"]))
  except FileNotFoundError:
    raise
  # numpy, zipfile and zlib raise many types.
  except Exception as error:
    raise ValueError(f"{path} is damaged: {error}; evaluate again") from error
  if about["version"] != VERSION:
    raise ValueError(
      f"{path} has version {about['version']}, want {VERSION}; evaluate again"
    )
  # Files that are older hold no unknown label, and one set.
  nothing = np.zeros(arrays["images/labels"].shape, bool)
  arrays.setdefault("images/unknown", nothing)
  arrays.setdefault("images/data_set", np.full(len(nothing), ""))
  images: dict[str, Any] = {
    k: arrays[f"images/{k}"] for k in ScoredImages._fields
  }
  images["names"] = tuple(images["names"].tolist())
  fields = _table_fields(arrays)
  height, width = fields["frame"]
  fields["frame"] = (int(height), int(width))
  maps = {name: MapRule(*rule) for name, rule in about["maps"].items()}
  return ScoredModel(
    ScoredImages(**images),
    LocalizationTable(maps=maps, **fields),
    about["component"],
  )


def _table_fields(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
  """Return the fields of the table; paths `a/b/c` become nested dicts."""
  fields: dict[str, Any] = {key: {} for key in _NESTED}
  for name, value in arrays.items():
    room, _, rest = name.partition("/")
    if room != "table":
      continue
    *outer, last = rest.split("/")
    tree = fields
    for step in outer:
      tree = tree.setdefault(step, {})
    tree[last] = value
  return fields
