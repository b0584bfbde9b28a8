"""The official numbers, on NIH's real lists and 24 real images."""

import collections
import io

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import tfds_chestxray14
from tfds_chestxray14 import catalogue

pytestmark = pytest.mark.shared

POSITIVES = {
  "Infiltration": 19_894,
  "Effusion": 13_317,
  "Atelectasis": 11_559,
  "Nodule": 6_331,
  "Mass": 5_782,
  "Pneumothorax": 5_302,
  "Consolidation": 4_667,
  "Pleural_Thickening": 3_385,
  "Cardiomegaly": 2_776,
  "Emphysema": 2_516,
  "Edema": 2_303,
  "Fibrosis": 1_686,
  "Pneumonia": 1_431,
  "Hernia": 227,
}
# Published: the authors' seed-34 split over the official lists.
SPLIT_HASH = "20dd9b460043c579142b2b188971d1d4bbf79b65816d7881547502b6655a61c7"


def _folder(shared, path, data_entry, images=None):
  path.mkdir()
  for file in (shared / "nih" / "metadata").iterdir():
    if not file.name.startswith("Data_Entry") or file.name == data_entry:
      (path / file.name).symlink_to(file)
  if images:
    (path / "images").symlink_to(shared / "nih" / images)
  return path


@pytest.fixture(scope="module")
def official(shared, tmp_path_factory):
  root = tmp_path_factory.mktemp("official")
  path = _folder(shared, root / "nih", "Data_Entry_2017.csv.gz")
  return tfds_chestxray14.read_lists(path)


def test_files_are_the_official_ones(official):
  for file in official.files.values():
    name = catalogue.OFFICIAL_SHA256[file.sha256]
    assert file.path.name == f"{name}.gz"


def test_split_sizes(official):
  sizes = collections.Counter(official.split_of.values())
  assert sizes == {"train": 75_300, "validation": 11_224, "test": 25_596}
  assert len(official.entries) == 112_120
  assert tfds_chestxray14.split_hash(official.split_of) == SPLIT_HASH


def test_no_patient_in_two_splits(official):
  splits_of = collections.defaultdict(set)
  for key, split in official.split_of.items():
    splits_of[official.entries[key].patient_id].add(split)
  assert len(splits_of) == 30_805
  assert all(len(names) == 1 for names in splits_of.values())


def test_label_counts(official):
  labels = [entry.labels for entry in official.entries.values()]
  counts = collections.Counter(name for names in labels for name in names)
  assert counts == POSITIVES
  assert sum(not names for names in labels) == 60_361


def test_boxes(official):
  boxes = official.boxes
  assert len(boxes) == 880
  assert sum(map(len, boxes.values())) == 984
  assert {official.split_of[key] for key in boxes} == {"test"}
  assert collections.Counter(map(len, boxes.values())) == {
    1: 787,
    2: 83,
    3: 9,
    4: 1,
  }
  counts = collections.Counter(b.label for bs in boxes.values() for b in bs)
  assert set(counts) == set(tfds_chestxray14.BOXED_FINDINGS)
  assert counts["Infiltration"] == 123


def test_v2020_gives_the_same_labels_and_split(official, shared, tmp_path):
  path = _folder(shared, tmp_path / "nih", "Data_Entry_2017_v2020.csv.gz")
  newer = tfds_chestxray14.read_lists(path)
  assert newer.split_of == official.split_of
  assert newer.boxes == official.boxes
  for key, entry in official.entries.items():
    assert newer.entries[key].labels == entry.labels
    assert newer.entries[key].patient_id == entry.patient_id
  assert max(entry.age for entry in newer.entries.values()) == 95
  assert max(entry.age for entry in official.entries.values()) == 414


@pytest.mark.parametrize("size", [128, 1024])
def test_24_real_images(shared, tmp_path, size):
  path = _folder(
    shared, tmp_path / "nih", "Data_Entry_2017.csv.gz", "images_1024"
  )
  builder = tfds.builder(f"chest_xray14/{size}px", data_dir=tmp_path / "tfds")
  config = tfds.download.DownloadConfig(manual_dir=path)
  builder.download_and_prepare(download_config=config)
  metadata = builder.info.metadata
  assert metadata["split_hash"] == SPLIT_HASH
  assert metadata["source_images"] == {
    "PNG L 1024x1024": 18,
    "PNG RGBA 1024x1024": 6,
  }
  stored = {"kept": 18, "converted": 6} if size == 1024 else {"reduced": 24}
  assert {k: n for k, n in metadata["storage"].items() if n} == stored
  boxed = 0
  for split in builder.info.splits:
    for example in builder.as_data_source(split):
      boxed += bool(example["objects"]["label"])
      data = (path / "images" / example["file_name"].decode()).read_bytes()
      _check_image(example["image"], data, size)
  assert boxed == 9


def _check_image(image, data, size):
  assert image.shape == (size, size, 1)
  assert image.dtype == np.uint8
  with Image.open(io.BytesIO(data)) as opened:
    grey = np.asarray(opened.convert("RGB"))[..., 0]
  if size == 1024:
    np.testing.assert_array_equal(image[..., 0], grey)
  else:
    means = grey.reshape(size, 1024 // size, size, 1024 // size).mean((1, 3))
    assert np.abs(image[..., 0] - means).mean() < 2
