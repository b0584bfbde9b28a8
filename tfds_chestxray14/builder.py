"""The TFDS builder: `tfds.builder("chest_xray14/512px")`."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow_datasets.public_api as tfds
from absl import logging
from etils import epath

from tfds_chestxray14 import catalogue, findings, tf_dataset, unpacking
from tfds_chestxray14 import survey as survey_lib
from tfds_chestxray14.examples import Record, Shard, cores, features
from tfds_chestxray14.nameless import nameless_users

# Images a shard, so that a shard is about 100 to 200 MB: TFDS holds one shard
# in memory while it writes it.
SHARD_IMAGES = {1024: 512, 512: 1024, 256: 4096, 128: 8192, 64: 8192}


@dataclasses.dataclass(eq=False)
class ChestXray14Config(tfds.core.BuilderConfig):
  """A stored size and a validation scheme.

  Attributes:
    size: Height and width stored, in pixels.
    validation: `seed34` or `official_val_75312`.
  """

  size: int = 512
  validation: str = "seed34"


def _configs() -> list[ChestXray14Config]:
  return [
    ChestXray14Config(
      name=f"{size}px" if scheme == "seed34" else f"{size}px_val_75312",
      description=f"{size}x{size} grey images; validation split {scheme}.",
      size=size,
      validation=scheme,
    )
    for scheme in catalogue.VALIDATIONS
    for size in (1024, 512, 256, 128, 64)
  ]


class ChestXray14(tfds.core.ShardBasedBuilder):
  """ChestX-ray14 with boxes and named splits, built without TensorFlow."""

  # Said here because TFDS 4.9.10 would look for it with importlib_resources,
  # which it does not install.
  code_path = epath.Path(__file__)
  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}
  BUILDER_CONFIGS = _configs()
  DEFAULT_BUILDER_CONFIG_NAME = "512px"
  # Told how many of all films are built, in place of bars and printed lines.
  watch: Callable[[int, int], None] | None = None
  MANUAL_DOWNLOAD_INSTRUCTIONS = """\
  Put into manual_dir, as the NIH Clinical Center ships them (each list plain
  or .gz): Data_Entry_2017.csv (or Data_Entry_2017_v2020.csv),
  BBox_List_2017.csv, train_val_list.txt, test_list.txt, and the images in
  images/, in images_001/images/ ... images_012/images/, flat beside the lists,
  or in their archives images_001.tar.gz ... (or .tar or .zip, beside the lists
  or in images/; unpacked into images/). A resized mirror (.png or .jpg under
  the same names) or a part of the images will do. The `_val_75312` configs also
  need val_list.txt.
  """

  def __init__(
    self,
    *,
    file_format: Any = None,
    skip_bad: bool = False,
    workers: int | None = None,
    **kwargs: Any,
  ) -> None:
    """Construct the builder.

    Args:
      file_format: Of the records written; the format of an existing dataset,
        or else `array_record`, which needs no TensorFlow.
      skip_bad: Leave out bad images (that do not decode, are not square) and
        list them in the metadata (`quarantine`) instead of stopping. Decodes
        every image twice.
      workers: Threads that decode, resize and encode; by default one a core.
      **kwargs: `data_dir`, `config`, `version`, as for every TFDS builder.
    """
    super().__init__(file_format=file_format, **kwargs)
    self._original_state |= {
      "file_format": file_format,
      "skip_bad": skip_bad,
      "workers": workers,
    }
    self._skip_bad = skip_bad
    self._workers = workers or cores()
    self._max_examples: int | None = None
    self._done = self._total = 0
    if file_format is None and not self.info.initialized:
      self.info.set_file_format("array_record", override=True)

  def _info(self) -> tfds.core.DatasetInfo:
    return self.dataset_info_from_configs(
      features=features(self.builder_config.size),
      homepage="https://nihcc.app.box.com/v/ChestXray-NIHCC",
      supervised_keys=("image", "labels"),
      metadata=tfds.core.MetadataDict(),
    )

  def _download_and_prepare(
    self, dl_manager: Any, download_config: Any = None
  ) -> None:
    if download_config is not None:
      self._max_examples = download_config.max_examples_per_split
    with nameless_users():
      super()._download_and_prepare(dl_manager, download_config)

  def _shard_iterators_per_split(
    self, dl_manager: Any
  ) -> dict[str, list[Shard]]:
    found = self._survey(_manual_dir(dl_manager))
    config = self.builder_config
    self.info.metadata.update(
      survey_lib.metadata(found, size=config.size, validation=config.validation)
    )
    shards = {name: self._shards(found, name) for name in findings.SPLITS}
    self._total = sum(
      len(shard.records) for parts in shards.values() for shard in parts
    )
    if not any(shards.values()):
      raise ValueError(
        f"No image of {found.folder} can be read; nothing was built.\n"
        f"{survey_lib.bad_images(found)}"
      )
    if self.watch is None:
      print(f"Building {self._total:,} films of {self.info.full_name}")
    else:
      self.watch(0, self._total)
    # TFDS cannot write an empty split; the survey has said so.
    return {name: parts for name, parts in shards.items() if parts}

  def _count(self) -> None:
    self._done += 1
    if self.watch is not None:
      self.watch(self._done, self._total)

  def _log_download_bytes(self) -> None:
    """Say nothing yet: how many films there are is known after the survey."""

  def _log_download_done(self) -> None:
    if self.watch is None:
      super()._log_download_done()

  def _as_dataset(
    self,
    split: Any,
    decoders: Any = None,
    read_config: Any = None,
    shuffle_files: bool = False,
  ) -> Any:
    if self.info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
      return super()._as_dataset(split, decoders, read_config, shuffle_files)
    return tf_dataset.as_dataset(
      self,
      split,
      decoders=decoders,
      read_config=read_config,
      shuffle=shuffle_files,
    )

  def _survey(self, root: pathlib.Path) -> survey_lib.Survey:
    """Look through the folder; raise on faults, say what is missing."""
    unpacked = unpacking.unpack_all(root)
    if unpacked:
      logging.warning("chest_xray14: unpacked %s.", unpacked)
    found = survey_lib.take_survey(
      root, validation=self.builder_config.validation, decode=self._skip_bad
    )
    found.faults.raise_if_any(root)
    if found.bad and not self._skip_bad:
      raise ValueError(
        f"{len(found.bad)} bad images in {root}; nothing was built."
        f"\n{survey_lib.bad_images(found)}\nFetch them again, or build with "
        "skip_bad=True, which leaves them out and lists them in the metadata."
      )
    _say(found, self.builder_config.size)
    return found

  def _shards(self, found: survey_lib.Survey, split: str) -> list[Shard]:
    keys = found.images(split)[: self._max_examples]
    records = tuple(
      Record(
        path=found.paths[key],
        entry=found.lists.entries[key],
        boxes=tuple(found.lists.boxes.get(key, ())),
      )
      for key in keys
    )
    size = self.builder_config.size
    step = SHARD_IMAGES[size]
    starts = range(0, len(records), step)
    return [
      Shard(
        name=f"{split} {number}/{len(starts)}",
        records=records[start : start + step],
        size=size,
        workers=self._workers,
        count=None if self.watch is None else self._count,
      )
      for number, start in enumerate(starts, 1)
    ]


def _manual_dir(dl_manager: Any) -> pathlib.Path:
  try:
    return pathlib.Path(dl_manager.manual_dir)
  except AssertionError as error:  # TFDS's type for a missing folder.
    raise FileNotFoundError(
      f"{error}\nGive the folder with "
      "download_config=tfds.download.DownloadConfig(manual_dir=...)."
    ) from error


def _say(found: survey_lib.Survey, size: int) -> None:
  counts = found.counts()
  missing = sum(count["missing"] for count in counts.values())
  enlarged = found.storage(size)["enlarged"]
  logging.info("%s", survey_lib.report(found))
  if missing:
    logging.warning(
      "chest_xray14: a part of the set: %s.",
      "; ".join(
        f"{split} {c['found']:,} of {c['listed']:,} images"
        + ("" if c["found"] else ", so this split is left out")
        for split, c in counts.items()
      ),
    )
  if enlarged:
    logging.warning(
      "chest_xray14: %d images are smaller than %d pixels and are enlarged.",
      enlarged,
      size,
    )
  if found.bad:
    logging.warning(
      "chest_xray14: %d bad images are left out:\n%s",
      len(found.bad),
      survey_lib.bad_images(found),
    )
