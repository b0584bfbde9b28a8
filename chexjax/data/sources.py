"""The splits of a dataset, with examples by index."""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from chexjax.data.decoding import decode_grey
from chexjax.extras import require
from chexjax.types import PHANTOM, PHANTOM_MANIFEST
from tfds_chestxray14.findings import SEXES, VIEWS

SIZES = (64, 128, 256, 512, 1024)


class Source(Protocol):
  """The examples of a split, by index.

  An example has `image` `[H, W, 1]` uint8, `labels` `[K]` 0 or 1 (NaN where not
  known), `objects` (`bbox`: ymin, xmin, ymax, xmax in 0..1; `label`: index of a
  finding), `file_name` (bytes) and `patient_id` (int); in joined sets also
  `set`, a name.
  """

  def __len__(self) -> int:
    """Return the number of examples."""

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Return an example."""

  def annotation(self, index: int) -> dict[str, Any]:
    """Return an example without its image, which is not decoded."""


_ANEW = "delete the records in the cache, and they are built anew"


@dataclasses.dataclass(frozen=True)
class Dataset:
  """The splits that have images, and a record of them.

  Attributes:
    splits: "train", "validation" or "test" -> source.
    metadata: has at least `findings`, `boxed_findings`, `split_hash` and
      `counts`.
  """

  splits: dict[str, Source]
  metadata: dict[str, Any]


class Records:
  """A split of built records; an image is decoded when it is asked for."""

  def __init__(self, source: Any):
    """Wrap a TFDS data source whose `image` is left encoded."""
    self._source = source

  def __len__(self) -> int:
    """Return the number of examples."""
    return len(self._source)

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Return an example; see `Source`.

    Raises:
      OSError: the record is damaged.
    """
    example = self._read(index)
    try:
      return example | {"image": decode_grey(example["image"])}
    except ValueError as error:
      raise OSError(f"a record is damaged: {error}; {_ANEW}") from error

  def annotation(self, index: int) -> dict[str, Any]:
    """Return an example without its image."""
    example = self._read(index)
    del example["image"]
    return example

  def _read(self, index: int) -> dict[str, Any]:
    try:
      return dict(self._source[index])
    except IndexError:
      raise
    # The readers of records and of their protocol raise many types.
    except Exception as error:
      raise OSError(f"a record cannot be read: {error}; {_ANEW}") from error


def open_chest_xray14(
  folder: pathlib.Path, *, size: int, cache: pathlib.Path
) -> Dataset:
  """Open a folder in ChestX-ray14's layout; build its records if needed.

  Args:
    folder: images and lists, as the NIH publishes them.
    size: side of the stored images, in pixels: 64, 128, 256, 512 or 1024.
    cache: folder of the records; see `record_cache`.

  Returns:
    The splits that have images; the `name` in the metadata of a phantom's
    folder says that its films are drawn.

  Raises:
    FileNotFoundError: images or lists are missing; says where they were sought.
    ValueError: the size is another one, or the lists have faults.
  """
  require("data", "tensorflow_datasets", "array_record")
  import tensorflow_datasets as tfds

  from chexjax.data.record_cache import prepared_builder

  if size not in SIZES:
    raise ValueError(f"image_size must be one of {SIZES}, got {size}")
  if not folder.is_dir():
    raise FileNotFoundError(
      f"data_dir {folder} is no folder; give one with ChestX-ray14's images "
      "and lists (Data_Entry_2017.csv, train_val_list.txt, ...), or with a "
      "labels.csv of its own"
    )
  builder = prepared_builder(folder, size=size, cache=cache)
  encoded = {"image": tfds.decode.SkipDecoding()}
  splits: dict[str, Source] = {
    name: Records(builder.as_data_source(name, decoders=encoded))
    for name in builder.info.splits
  }
  metadata = dict(builder.info.metadata)
  if (folder / PHANTOM_MANIFEST).is_file():
    metadata["name"] = PHANTOM
  return Dataset(splits, metadata)


def label_matrix(source: Source) -> np.ndarray:
  """Return the labels of all examples, `[N, K]` float32; decode no image.

  They are 0 or 1, or NaN where not known.
  """
  return np.stack(
    [source.annotation(i)["labels"] for i in range(len(source))]
  ).astype(np.float32)


def true_boxes(
  example: dict[str, Any], names: Sequence[str], size: int
) -> dict[str, np.ndarray]:
  """Return the true boxes of an example, converted from TFDS's convention.

  Args:
    example: of a `Source`.
    names: of the K findings.
    size: side of the image in whose pixels the boxes are returned.

  Returns:
    Finding -> `[M, 4]` float32 x1, y1, x2, y2 in pixels; no entry without box.
  """
  found: dict[str, list[list[float]]] = {}
  objects = example["objects"]
  for box, label in zip(objects["bbox"], objects["label"]):
    y1, x1, y2, x2 = (float(v) * size for v in box)
    found.setdefault(names[int(label)], []).append([x1, y1, x2, y2])
  return {k: np.array(v, np.float32) for k, v in found.items()}


def patient_facts(example: dict[str, Any]) -> dict[str, Any]:
  """Return what an example records about its film and patient.

  Returns:
    `view` (`AP` or `PA`), `sex` (`F` or `M`), `age` in years and, in joined
    sets, `data_set`; those that the dataset has.
  """
  told = example | ({"data_set": example["set"]} if "set" in example else {})
  known: dict[str, Callable[[Any], Any]] = {
    "view": lambda value: VIEWS[int(value)],
    "sex": lambda value: SEXES[int(value)],
    "age": int,
    "data_set": str,
  }
  return {
    name: read(told[name]) for name, read in known.items() if name in told
  }
