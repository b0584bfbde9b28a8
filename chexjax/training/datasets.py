"""The data of a run: folders of images, or the phantom."""

import hashlib
import json
import pathlib
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.data.joined import join_datasets, set_names
from chexjax.data.own_set import open_folder
from chexjax.data.sources import Dataset, Source
from chexjax.inference.film_names import file_names
from chexjax.inference.picked_films import PickedFilms
from chexjax.io import expand_home
from chexjax.runtime.cache_home import cache_home
from chexjax.systems import trains_on_boxes
from chexjax.training.box_folds import train_on_boxes
from chexjax.training.config import Config


def open_data(
  config: Config,
  *,
  need: tuple[str, ...] = ("train", "test"),
  tell: bool = True,
) -> Dataset:
  """Open `--data_dir`, or the phantom, which is drawn if it is not cached.

  With `--more_data` all folders are one set, see `joined`. What the classes are
  is told, and which of them cannot be learned. For a system that trains on
  boxes the boxed test films are divided, see `box_folds`; not if only the test
  films are needed.

  Args:
    config: of the run.
    need: splits that must have images.
    tell: whether the classes are told; of a model that is trained already they
      are of no use.

  Returns:
    The splits that have images.

  Raises:
    FileNotFoundError: images or tables are missing.
    ValueError: a needed split has no image, the tables have faults, no class
      can be learned, there are too few boxes to be trained on, or there is
      `more_data` without `data_dir`.
  """
  if config.more_data and config.data_dir is None:
    raise ValueError("--more_data is joined to --data_dir, which is not given")
  folder = data_folder(config)
  if config.data_dir is None:
    from chexjax.data.phantom import ensure_phantom

    messages.tell(f"phantom: {config.phantom_images} drawn images in {folder}")
    ensure_phantom(folder, mend=True, **_phantom_options(config))
  dataset = _open(config, folder)
  missing = set(need) - set(dataset.splits)
  if missing:
    raise ValueError(
      f"{folder} has no image of {', '.join(sorted(missing))}; found "
      f"{ {k: len(v) for k, v in dataset.splits.items()} }; needed are "
      f"{' and '.join(need)}"
    )
  if tell and config.data_dir is not None and "train" in need:
    _tell_classes(dataset)
  if config.train_share < 1 and "train" in dataset.splits:
    some = some_patients(
      dataset.splits["train"], config.train_share, seed=config.seed
    )
    messages.tell(f"{len(some)} training images, --train_share")
    splits = dataset.splits | {"train": some}
    dataset = Dataset(splits, dataset.metadata)
  if trains_on_boxes(config.system) and "train" in need:
    return train_on_boxes(
      dataset,
      folds=config.box_folds,
      fold=config.box_fold,
      size=config.image_size,
    )
  return dataset


def some_patients(source: Source, share: float, *, seed: int) -> Source:
  """Return the films of some patients.

  Args:
    source: of the films.
    share: of the patients, in 0..1; one at least.
    seed: of their order, of which a share is the beginning.
  """
  patients = np.array(
    [int(source.annotation(i)["patient_id"]) for i in range(len(source))]
  )
  order = np.random.default_rng(seed).permutation(np.unique(patients))
  chosen = order[: max(1, round(share * len(order)))]
  names = np.array(file_names(source))
  files = set(names[np.isin(patients, chosen)].tolist())
  return PickedFilms(source, files=files)


def _open(config: Config, folder: pathlib.Path) -> Dataset:
  """Open the folders of a run."""
  # Paths come back as texts from a workdir's config.json.
  more = [_absolute(pathlib.Path(path)) for path in config.more_data]
  folders = [folder, *more]
  opened = []
  for path in folders:
    messages.tell(f"images: {config.image_size} px from {path}")
    opened.append(
      open_folder(
        path,
        size=config.image_size,
        cache=cache_home(config.cache_dir) / "records",
        shape=config.shape,
        uncertain=config.uncertain,
      )
    )
  if not more:
    return opened[0]
  names = set_names(folders)
  dataset = join_datasets(list(zip(names, opened)))
  messages.tell(f"{len(names)} sets are joined: {', '.join(names)}")
  return dataset


def _tell_classes(dataset: Dataset) -> None:
  """Tell the classes of one's own set; warn of those that cannot be learned.

  Raises:
    ValueError: none of them can.
  """
  counts = dataset.metadata["counts"].get("train", {})
  positives = counts.get("positives")
  if not positives:
    return  # ChestX-ray14 is described by its builder.
  unknown = counts.get("unknown", {})
  negatives = {
    name: counts["found"] - positives[name] - unknown.get(name, 0)
    for name in positives
  }
  told = (
    f"{name} {positives[name]}"
    + (f" (not known of {unknown[name]})" if unknown.get(name) else "")
    for name in positives
  )
  messages.tell(f"classes, with positive training images: {', '.join(told)}")
  useless = [n for n in positives if not positives[n] or not negatives[n]]
  if len(useless) == len(positives):
    raise ValueError(
      "no class has both a positive and a negative training image: "
      + ", ".join(useless)
    )
  for name in useless:
    lacking = "negative" if positives[name] else "positive"
    messages.warn(
      f"note: no training image is {lacking} for {name}, which is not learned"
    )


def data_folder(config: Config) -> pathlib.Path:
  """Return `--data_dir`, or the phantom's folder in the cache."""
  if config.data_dir is not None:
    return _absolute(config.data_dir)
  from chexjax.data.phantom import VERSION

  options = json.dumps([VERSION, _phantom_options(config)])
  digest = hashlib.sha256(options.encode()).hexdigest()[:12]
  return cache_home(config.cache_dir) / "phantom" / digest


def _absolute(path: pathlib.Path) -> pathlib.Path:
  return expand_home(path).absolute()


def _phantom_options(config: Config) -> dict[str, Any]:
  return {
    "num_images": config.phantom_images,
    "size": config.image_size,
    "seed": config.phantom_seed,
  }
