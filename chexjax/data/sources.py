"""The dataset's splits as random-access sources."""

import dataclasses
import hashlib
import pathlib
from typing import Any

import numpy as np

SIZES = (128, 256, 512, 1024)


@dataclasses.dataclass(frozen=True)
class Dataset:
  """The splits that have images, and what the builder recorded of them.

  Attributes:
    splits: `{"train" | "validation" | "test": source}`; a source has a
      length and gives the decoded example of an index.
    metadata: the builder's, with `findings`, `split_hash`, `counts`.
  """

  splits: dict[str, Any]
  metadata: dict[str, Any]


def _folder_digest(folder: pathlib.Path) -> str:
  """Changes when a file is added to, taken from or replaced in `folder`."""
  digest = hashlib.sha256(str(folder.resolve()).encode())
  for path in sorted(p for p in folder.rglob("*") if p.is_file()):
    digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}".encode())
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

  if size not in SIZES:
    raise ValueError(f"image_size must be one of {SIZES}, got {size}")
  if not folder.is_dir():
    raise FileNotFoundError(
      f"data_dir {folder} is no folder; give one with ChestX-ray14's images "
      "and lists (Data_Entry_2017.csv, train_val_list.txt, ...)"
    )
  builder = tfds.builder(
    f"chest_xray14/{size}px", data_dir=cache / _folder_digest(folder)
  )
  builder.download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=folder)
  )
  splits = {name: builder.as_data_source(name) for name in builder.info.splits}
  return Dataset(splits, dict(builder.info.metadata))


def label_matrix(source: Any) -> np.ndarray:
  """Reads every example's labels, `[N, K]` float32."""
  return np.stack([source[i]["labels"] for i in range(len(source))]).astype(
    np.float32
  )
