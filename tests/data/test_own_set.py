"""A folder with labels.csv and boxes.csv, and its faults."""

import collections

import numpy as np
import pytest
from PIL import Image

from chexjax.data.own_set import open_folder, open_own_set
from chexjax.data.own_tables import read_rows
from chexjax.data.sources import label_matrix


@pytest.fixture
def own(own_folder, tmp_path):
  return own_folder(tmp_path / "own")


def test_examples_are_those_of_the_builder(own):
  dataset = open_folder(own.write(), size=32, cache=own.path)
  assert dataset.metadata["findings"] == ["Cat", "Dog"]
  assert dataset.metadata["boxed_findings"] == ["Cat", "Dog"]
  assert sum(map(len, dataset.splits.values())) == 30
  for source in dataset.splits.values():
    matrix = label_matrix(source)
    for i in range(len(source)):
      example = source[i]
      number = int(example["file_name"][2:4])
      labels = np.zeros(2) if number >= 24 else np.eye(2)[number % 2]
      np.testing.assert_array_equal(example["labels"], labels)
      np.testing.assert_array_equal(matrix[i], labels)
      boxes = [(0.25, 0.25, 0.75, 0.75)] if number < 24 else []
      assert example["objects"]["bbox"] == boxes
      assert example["image"].shape == (32, 32, 1)
      assert example["image"].dtype == np.uint8


def test_images_are_reduced_without_aliasing(own):
  own.boxes = own.boxes[:1]
  board = np.indices((64, 64)).sum(0) % 2 * 255
  Image.fromarray(board.astype(np.uint8)).save(own.path / "a/00.png")
  splits = open_own_set(own.write(), size=32).splits.values()
  examples = [e for s in splits for e in s]
  (image,) = [e["image"] for e in examples if e["file_name"] == b"a/00.png"]
  # A nearest neighbour gives 0 or 255; Lanczos rings a little at the border.
  inside = image[2:-2, 2:-2].astype(float)
  assert np.abs(inside - 127.5).max() <= 1


def test_patients_are_divided_always_the_same_way(own):
  def division(path):
    dataset = open_own_set(path, size=32)
    return {
      name: {source.rows[i].patient for i in range(len(source))}
      for name, source in dataset.splits.items()
    }, dataset.metadata

  first, metadata = division(own.write())
  assert {k: len(v) for k, v in first.items()} == {
    "train": 10,
    "validation": 2,
    "test": 3,
  }
  assert not set.intersection(first["train"], first["test"])
  assert metadata["validation"] == "by patient, seed 0, 70 : 10 : 20"
  own.labels[1:] = own.labels[:0:-1]
  again, reordered = division(own.write())
  assert again == first
  assert reordered["split_hash"] == metadata["split_hash"]


def test_a_given_split_is_kept(own):
  names = ["train", "validation", "test"]
  own.labels = [f"{line},{names[i % 3]}" for i, line in enumerate(own.labels)]
  own.labels[0] = "file,findings,who,split"
  dataset = open_own_set(own.write(), size=32)
  assert {k: len(v) for k, v in dataset.splits.items()} == dict.fromkeys(
    names, 10
  )
  assert dataset.metadata["validation"] == "column split"


def test_all_faults_are_listed_at_once(own):
  own.labels[0] = "file,findings,patient,split"
  own.labels[1:] = [f"{line},train" for line in own.labels[1:]]
  own.labels[2] = own.labels[2].replace("train", "training")
  own.labels[3] = own.labels[3].replace("Cat", "No Finding|Cat")
  own.labels += [own.labels[5], "a/99.png,Cat,p1,train", "../x.png,,p1,train"]
  own.labels += ["a/29.png,Cat"]
  (own.path / "a/07.png").write_bytes(b"broken")
  own.boxes += [
    "a/98.png,Cat,1,1,5,5",
    "a/01.png,Bird,1,1,5,5",
    "a/02.png,Cat,90,1,20,5",
    "a/02.png,Cat,1,1,0,5",
    "a/02.png,Cat,one,1,5,5",
  ]
  own.write()
  with pytest.raises(ValueError, match="13 faults") as caught:
    open_own_set(own.path, size=32)
  for text in (
    "labels.csv line 3: split is 'training', must be one of train",
    "labels.csv line 4: findings 'No Finding|Cat' is both",
    "a/04.png is there twice",
    "a/99.png is not in the folder",
    "file '../x.png' must be a plain path within the folder",
    "labels.csv line 35: 2 fields, the header has 4",
    "a/07.png is no image",
    "a/98.png has no line in labels.csv",
    "no line of labels.csv has the finding 'Bird'",
    "lies outside its image of 96 x 64",
    "width 0",
    "must be four numbers",
  ):
    assert text in str(caught.value)


@pytest.mark.parametrize(
  ("change", "said"),
  [
    (("Cat", "dog"), "differ in case, spaces, _ or - alone"),
    (("Cat", "Do-g"), r"\['Do-g', 'Dog'\] differ in case, spaces, _ or -"),
    (("file,", "image,"), "the header lacks file"),
    (("p0\n", "\n"), "patient is empty"),
  ],
)
def test_what_a_whole_table_gets_wrong(own, change, said):
  path = own.write() / "labels.csv"
  path.write_text(path.read_text().replace(*change))
  with pytest.raises(ValueError, match=said):
    open_own_set(own.path, size=32)


def test_a_patient_in_two_splits_is_a_fault(own):
  own.labels = [f"{line},train" for line in own.labels]
  own.labels[0] = "file,findings,patient,split"
  own.labels[1] = own.labels[1].replace("train", "test")
  with pytest.raises(ValueError, match="patient p0 is in test and in train"):
    open_own_set(own.write(), size=32)


def test_a_set_without_boxes_or_patients(own):
  own.write()
  (own.path / "boxes.csv").unlink()
  path = own.path / "labels.csv"
  lines = [line.rsplit(",", 1)[0] for line in own.labels]
  path.write_text("\ufeff" + "\r\n".join(lines))
  dataset = open_own_set(own.path, size=32)
  assert dataset.metadata["boxed_findings"] == []
  assert dataset.metadata["validation"].startswith("by image")
  sizes = collections.Counter({k: len(v) for k, v in dataset.splits.items()})
  assert sizes == {"train": 21, "validation": 3, "test": 6}


def test_a_rare_finding_spelt_as_a_frequent_one_is_told(tmp_path):
  table = tmp_path / "labels.csv"
  names = ["Effusion"] * 20 + ["Efusion"] * 2 + ["Mass", "Mask", "Mass"]
  lines = [f"{i}.png,{name}" for i, name in enumerate(names)]
  table.write_text("\n".join(["file,findings", *lines]))
  faults = []
  read = read_rows(table, faults)
  assert not faults
  assert read.notes == [
    "labels.csv: Efusion (2 of the films) is a finding of its own, and spelt "
    "almost as Effusion (20); correct it if that is meant"
  ]
