"""The data of a run: a folder of images, or the phantom."""

import hashlib
import json
import pathlib
from typing import Any

from chexjax import messages
from chexjax.data.own_set import open_folder
from chexjax.data.sources import Dataset
from chexjax.training.config import Config, expand


def open_data(
  config: Config, *, need: tuple[str, ...] = ("train", "test")
) -> Dataset:
  """Open `--data_dir`, or the phantom, which is drawn if it is not cached.

  Args:
    config: of the run.
    need: splits that must have images.

  Returns:
    The splits that have images.

  Raises:
    FileNotFoundError: images or tables are missing.
    ValueError: a needed split has no image, or the tables have faults.
  """
  folder = data_folder(config)
  if config.data_dir is None:
    from chexjax.data.phantom import ensure_phantom

    messages.tell(f"phantom: {config.phantom_images} drawn images in {folder}")
    ensure_phantom(folder, **_phantom_options(config))
  messages.tell(f"images: {config.image_size} px from {folder}")
  cache = expand(config.cache_dir)
  dataset = open_folder(folder, size=config.image_size, cache=cache / "records")
  missing = set(need) - set(dataset.splits)
  if missing:
    raise ValueError(
      f"{folder} has no image of {', '.join(sorted(missing))}; found "
      f"{ {k: len(v) for k, v in dataset.splits.items()} }; needed are "
      f"{' and '.join(need)}"
    )
  return dataset


def data_folder(config: Config) -> pathlib.Path:
  """Return `--data_dir`, or the phantom's folder in the cache."""
  if config.data_dir is not None:
    return expand(config.data_dir)
  from chexjax.data.phantom import VERSION

  options = json.dumps([VERSION, _phantom_options(config)])
  digest = hashlib.sha256(options.encode()).hexdigest()[:12]
  return expand(config.cache_dir) / "phantom" / digest


def _phantom_options(config: Config) -> dict[str, Any]:
  return {
    "num_images": config.phantom_images,
    "size": config.image_size,
    "seed": config.phantom_seed,
  }
