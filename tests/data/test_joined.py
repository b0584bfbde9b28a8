"""Sets with different findings, as one."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from chexjax.data.joined import join_datasets, set_names
from chexjax.data.own_set import open_own_set
from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import label_matrix, true_boxes
from chexjax.training.datasets import open_data
from experiments.configs import CONFIGS


@pytest.fixture
def folders(own_folder, tmp_path):
  """Two sets that share `Dog`, file names and patients' names."""
  first = own_folder(tmp_path / "a" / "films")
  second = own_folder(tmp_path / "b" / "films", ("Dog", "Emu"))
  # One file name that the first set has not.
  (second.path / "a/00.png").rename(second.path / "a/new.png")
  for lines in (second.labels, second.boxes):
    lines[:] = [line.replace("a/00.png", "a/new.png") for line in lines]
  return first.write(), second.write()


def config_of(folders, tmp_path, **changes):
  return dataclasses.replace(
    CONFIGS["phantom"],
    data_dir=folders[0],
    more_data=folders[1:],
    cache_dir=tmp_path / "cache",
    image_size=128,
    **changes,
  )


def test_findings_of_the_other_set_are_not_known(folders, tmp_path, capsys):
  dataset = open_data(config_of(folders, tmp_path))
  assert dataset.metadata["findings"] == ["Cat", "Dog", "Emu"]
  assert dataset.metadata["name"] == "a-films + b-films"
  assert set(dataset.metadata["sets"]) == {"a-films", "b-films"}
  alone = [open_own_set(folder, size=128) for folder in folders]
  seen = []
  for split, source in dataset.splits.items():
    parts = [own.splits[split] for own in alone]
    assert len(source) == sum(map(len, parts))
    matrix = label_matrix(source)
    for i in range(len(source)):
      second = i >= len(parts[0])
      example, was = source[i], parts[second][i - second * len(parts[0])]
      np.testing.assert_array_equal(example["image"], was["image"])
      assert example["set"] == ("b-films" if second else "a-films")
      want = [np.nan, *was["labels"]] if second else [*was["labels"], np.nan]
      np.testing.assert_array_equal(example["labels"], want)
      np.testing.assert_array_equal(matrix[i], want)
      boxes = true_boxes(example, ["Cat", "Dog", "Emu"], 128)
      names = alone[second].metadata["findings"]
      assert boxes.keys() == true_boxes(was, names, 128).keys()
      file = was["file_name"].decode()
      clashes = file not in ("a/00.png", "a/new.png")
      prefix = f"{example['set']}/" if clashes else ""
      assert example["file_name"].decode() == prefix + file
      seen.append((example["file_name"], example["set"], was["patient_id"],
                   example["patient_id"]))  # fmt: skip
    with pytest.raises(IndexError):
      source[len(source)]
  assert len({file for file, *_ in seen}) == 60
  # A patient's films stay together, and no two patients become one.
  assert len({(s, own, new) for _, s, own, new in seen}) == 30
  assert len({new for *_, new in seen}) == 30
  counts = dataset.metadata["counts"]["train"]
  assert counts["found"] == len(dataset.splits["train"])
  assert counts["unknown"]["Emu"] == len(alone[0].splits["train"])
  assert counts["unknown"]["Dog"] == 0
  said = capsys.readouterr().out
  assert "2 sets are joined: a-films, b-films" in said
  assert "(not known of 20)" in said
  batch = next(eval_batches(dataset.splits["test"], batch_size=4))
  assert np.isnan(batch.labels).any()


def test_one_folder_is_as_it_was(folders, tmp_path):
  dataset = open_data(config_of(folders[:1], tmp_path))
  assert dataset.metadata == open_own_set(folders[0], size=128).metadata


def test_what_cannot_be_joined_is_refused(folders, tmp_path):
  config = config_of(folders, tmp_path)
  with pytest.raises(ValueError, match="--more_data is joined to --data_dir"):
    open_data(dataclasses.replace(config, data_dir=None))
  labels = folders[1] / "labels.csv"
  labels.write_text(labels.read_text().replace("Dog", "dog"))
  boxes = folders[1] / "boxes.csv"
  boxes.write_text(boxes.read_text().replace("Dog", "dog"))
  with pytest.raises(ValueError, match="differ in case, spaces, _ or - alone"):
    open_data(config)
  own = open_own_set(folders[0], size=32)
  with pytest.raises(ValueError, match="repeat"):
    join_datasets([("a", own), ("a", own)])
  assert set_names(list(folders)) == ["a-films", "b-films"]


def test_what_one_set_alone_records_is_left_out(folders):
  class Viewed:
    def __init__(self, source):
      self._source = source

    def __len__(self):
      return len(self._source)

    def __getitem__(self, index):
      return self._source[index] | {"view": 1}

    def annotation(self, index):
      return self._source.annotation(index) | {"view": 1}

  plain, other = (open_own_set(folder, size=32) for folder in folders)
  viewed = dataclasses.replace(
    other, splits={n: Viewed(s) for n, s in other.splits.items()}
  )
  both = join_datasets([("a", plain), ("b", viewed)])
  assert "view" not in both.splits["test"].annotation(0)
  assert "view" not in both.splits["test"][len(both.splits["test"]) - 1]
  alone = join_datasets([("b", viewed)])
  assert alone.splits["test"][0]["view"] == 1


def test_classes_that_cannot_be_learned_are_told(own_folder, tmp_path, capsys):
  own = own_folder(tmp_path / "own")
  lines = [f"a/{i:02}.png,1,{int(i % 2)},{'train' if i < 20 else 'test'}"
           for i in range(30)]  # fmt: skip
  own.labels = ["file,Always,Dog,split", *lines]
  own.boxes = own.boxes[:1]
  open_data(config_of((own.write(),), tmp_path))
  captured = capsys.readouterr()
  assert "positive training images: Always 20, Dog 10" in captured.out
  assert "no training image is negative for Always" in captured.err
  own.labels = [line.replace(",0,", ",1,") for line in own.labels]
  own.write()
  with pytest.raises(ValueError, match="no class has both"):
    open_data(config_of((own.path,), tmp_path))


def test_shape_and_uncertain_reach_the_set(own_folder, tmp_path):
  own = own_folder(tmp_path / "own")
  own.labels = ["file,Cat", *(f"a/{i:02}.png,{(1, 0, -1)[i % 3]}"
                              for i in range(30))]  # fmt: skip
  own.boxes = own.boxes[:1]
  Image.new("L", (96, 64), 255).save(own.path / "a/00.png")
  config = config_of(
    (own.write(),), tmp_path, shape="letterbox", uncertain="positive"
  )
  dataset = open_data(config)
  assert dataset.metadata["shape"] == "letterbox"
  matrix = np.concatenate([label_matrix(s) for s in dataset.splits.values()])
  assert matrix.sum() == 20
  images = [s[i] for s in dataset.splits.values() for i in range(len(s))]
  (white,) = (e for e in images if e["file_name"] == b"a/00.png")
  assert white["image"][0].max() == 0
  assert white["image"][64].min() == 255
