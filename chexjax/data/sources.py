"""The dataset's splits as random-access sources."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from chexjax.data.decoding import decode_grey

SIZES = (128, 256, 512, 1024)


class Source(Protocol):
  """The examples of a split, by index.

  An example has `image` `[H, W, 1]` uint8, `labels` `[K]` 0 or 1, `objects`
  (`bbox`: ymin, xmin, ymax, xmax in 0..1; `label`: index of a finding),
  `file_name` (bytes) and `patient_id` (int).
  """

  def __len__(self) -> int:
    """Returns the number of examples."""

  def __getitem__(self, index: int) -> dict:
    """Returns an example."""

  def annotation(self, index: int) -> dict:
    """Returns an example without its image, which is not decoded."""


@dataclasses.dataclass(frozen=True)
class Dataset:
  """The splits that have images, and what was recorded of them.

  Attributes:
    splits: `{"train" | "validation" | "test": source}`.
    metadata: with `findings`, `boxed_findings`, `split_hash`, `counts`.
  """

  splits: dict[str, Source]
  metadata: dict[str, Any]


class Records:
  """A split of built records; its images are decoded when asked for."""

  def __init__(self, source: Any):
    """Wraps a TFDS data source whose `image` is left encoded."""
    self._source = source

  def __len__(self) -> int:
    """Returns the number of examples."""
    return len(self._source)

  def __getitem__(self, index: int) -> dict:
    """Returns an example."""
    example = dict(self._source[index])
    return example | {"image": decode_grey(example["image"])}

  def annotation(self, index: int) -> dict:
    """Returns an example without its image."""
    example = dict(self._source[index])
    del example["image"]
    return example


def _folder_digest(folder: pathlib.Path) -> str:
  """Changes with the files' names and sizes, and with what the lists say."""
  digest = hashlib.sha256(str(folder.resolve()).encode())
  for path in sorted(p for p in folder.rglob("*") if p.is_file()):
    digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}".encode())
    # A list may be corrected digit by digit; an image's size hardly ever stays.
    if {".csv", ".txt"} & set(path.suffixes):
      digest.update(path.read_bytes())
  return digest.hexdigest()[:16]


def open_chest_xray14(
  folder: pathlib.Path, *, size: int, cache: pathlib.Path
) -> Dataset:
  """Opens a folder in ChestX-ray14's layout, building its records if needed.

  Args:
    folder: images and lists, as the NIH publishes them.
    size: side of the stored images, in pixels: 128, 256, 512 or 1024.
    cache: folder under which the records are kept, by the folder's content.

  Raises:
    FileNotFoundError: without images or lists; says where it looked.
    ValueError: for another size, or faults in the lists.
  """
  import tensorflow_datasets as tfds

  import tfds_chestxray14  # noqa: F401  registers the dataset
  from tfds_chestxray14 import unpacking

  if size not in SIZES:
    raise ValueError(f"image_size must be one of {SIZES}, got {size}")
  if not folder.is_dir():
    raise FileNotFoundError(
      f"data_dir {folder} is no folder; give one with ChestX-ray14's images "
      "and lists (Data_Entry_2017.csv, train_val_list.txt, ...), or with a "
      "labels.csv of its own"
    )
  # Here and not in the build, because the images are part of the digest.
  unpacking.unpack_all(folder)
  builder = tfds.builder(
    f"chest_xray14/{size}px", data_dir=cache / _folder_digest(folder)
  )
  builder.download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=folder)
  )
  encoded = {"image": tfds.decode.SkipDecoding()}
  splits: dict[str, Source] = {
    name: Records(builder.as_data_source(name, decoders=encoded))
    for name in builder.info.splits
  }
  return Dataset(splits, dict(builder.info.metadata))


def label_matrix(source: Source) -> np.ndarray:
  """Reads every example's labels, `[N, K]` float32; decodes no image."""
  return np.stack(
    [source.annotation(i)["labels"] for i in range(len(source))]
  ).astype(np.float32)


def true_boxes(
  example: dict, names: Sequence[str], size: int
) -> dict[str, np.ndarray]:
  """Return the boxes of an example's objects.

  Args:
    example: of a `Source`.
    names: of the findings.
    size: side of the image that the boxes are wanted in, in pixels.

  Returns:
    Finding -> `[M, 4]` float32 x1, y1, x2, y2 in pixels.
  """
  found: dict[str, list] = {}
  objects = example["objects"]
  for box, label in zip(objects["bbox"], objects["label"]):
    y1, x1, y2, x2 = (float(v) * size for v in box)
    found.setdefault(names[int(label)], []).append([x1, y1, x2, y2])
  return {k: np.array(v, np.float32) for k, v in found.items()}
