"""Parsing, faults, splits and layouts."""

import csv
import gzip
import io
import shutil
import tarfile

import numpy as np
import pytest

import tfds_chestxray14
from tfds_chestxray14 import lists, splits, unpacking


def test_drawn_set_reads(drawn):
  read = tfds_chestxray14.read_lists(drawn.path)
  entry = read.entries["00000020_001"]
  assert entry.file_name == "00000020_001.png"
  assert entry.labels == ("Mass", "Infiltration")
  assert (entry.patient_id, entry.age, entry.follow_up) == (20, 50, 1)
  assert (entry.sex, entry.view) == ("F", "AP")
  first, second = read.boxes["00000020_001"]
  assert first == ("Infiltration", 0.5, 0.25, 0.75, 0.375)
  assert second == ("Mass", 0.0, 0.0, 1.0, 1.0)


def test_validation_is_the_same_share_of_patients(drawn):
  read = tfds_chestxray14.read_lists(drawn.path)
  count = dict.fromkeys(("train", "validation", "test"), 0)
  for split in read.split_of.values():
    count[split] += 1
  held_out = round(16 * 3551 / 28008)
  assert count == {
    "train": 32 - 2 * held_out,
    "validation": 2 * held_out,
    "test": 16,
  }


def test_seed34_is_the_global_generator():
  patients = list(range(100, 500, 3))
  np.random.seed(34)  # noqa: NPY002
  expected = np.random.permutation(patients)  # noqa: NPY002
  count = round(len(patients) * 3551 / 28008)
  assert splits.seed34_validation(patients[::-1]) == set(expected[:count])
  assert len(splits.seed34_validation(range(28008))) == 3551


def test_split_hash_is_that_of_sorted_lines():
  one = splits.split_hash({"a": "train", "b": "test"})
  assert one == splits.split_hash({"b": "test", "a": "train"})
  assert one != splits.split_hash({"a": "test", "b": "train"})
  # As the shell gives it: printf 'test b.png\ntrain a.png\n' | sha256sum
  assert one.startswith("d571d567")


@pytest.mark.parametrize("role", ["entries", "boxes"])
def test_columns_may_be_in_another_order(drawn, role):
  before = tfds_chestxray14.read_lists(drawn.path)
  name = {
    "entries": "Data_Entry_2017.csv",
    "boxes": "BBox_List_2017.csv",
  }[role]
  path = drawn.path / name
  rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
  with path.open("w", newline="") as file:
    # Reversed, the header is `h],w,y,Bbox [x`; brackets are no fence.
    csv.writer(file).writerows([row[::-1] for row in rows])
  after = tfds_chestxray14.read_lists(drawn.path)
  assert getattr(after, role) == getattr(before, role)


def test_gz_and_v2020_give_the_same(drawn):
  before = tfds_chestxray14.take_survey(drawn.path)
  drawn.header = drawn.header.rstrip(",")
  drawn.rows = [row.rstrip(",") for row in drawn.rows[::-1]]
  drawn.write()
  for path in [*drawn.path.glob("*.csv"), *drawn.path.glob("*.txt")]:
    name = path.name.replace("Data_Entry_2017", "Data_Entry_2017_v2020")
    data = gzip.compress(path.read_bytes())
    (drawn.path / f"{name}.gz").write_bytes(data)
    path.unlink()
  after = tfds_chestxray14.take_survey(drawn.path)
  assert after.lists.split_of == before.lists.split_of
  assert after.lists.entries == before.lists.entries
  assert after.images("train") == before.images("train")


def test_patient_sex_is_patient_gender(drawn):
  before = tfds_chestxray14.read_lists(drawn.path)
  drawn.header = drawn.header.replace("Patient Gender", "Patient Sex")
  drawn.write()
  after = tfds_chestxray14.read_lists(drawn.path)
  assert after.entries == before.entries
  versions = [
    lists.data_entry_version(x.files["data_entry"]) for x in (before, after)
  ]
  assert versions == ["2017", "v2020"]


def test_all_faults_are_listed_at_once(drawn):
  drawn.rows[0] = drawn.rows[0].replace("No Finding", "Masss")
  drawn.rows[1] = drawn.rows[1].replace(",31,M,PA", ",old,X,LL")
  drawn.rows[2] = drawn.rows[2].replace("No Finding", "No Finding|Mass")
  drawn.rows.append(drawn.rows[5])
  drawn.train_val.append("00099999_000.png")
  drawn.test.append(drawn.train_val[0])
  drawn.boxes += [
    "00099999_000.png,Mass,1,1,5,5,,,",
    "00000020_001.png,Hernia,1,1,5,5,,,",
    "00000020_001.png,Mass,1000,1,50,5,,,",
    "00000020_001.png,Mass,1,1,0,5,,,",
    "00000020_001.png,Mass,one,1,5,5,,,",
  ]
  drawn.write()
  with pytest.raises(ValueError, match="14 faults") as caught:
    tfds_chestxray14.read_lists(drawn.path)
  for text in (
    "Data_Entry_2017.csv line 2, 00000001_000.png: Finding Labels 'Masss'",
    "did you mean 'Mass'?",
    "Patient Age is 'old'",
    "Patient Gender is 'X', must be one of ('F', 'M')",
    "View Position is 'LL'",
    "both No Finding and a finding",
    "00000003_001.png is there twice",
    "train_val_list.txt line 33: 00099999_000.png has no row in Data_Entry",
    "00000001_000 is in train_val_list.txt and in test_list.txt",
    "patient 1 has images in train_val_list.txt and in test_list.txt",
    "line 4, 00099999_000.png: the box's image has no row",
    "a box of Hernia, but Data_Entry's Finding Labels are Mass|Infiltration",
    "lies outside 0..1024",
    "width 0",
    "must be four numbers",
  ):
    assert text in str(caught.value)


def test_many_faults_show_twenty_and_the_count(drawn):
  drawn.rows = [
    row.replace("PA", "??").replace("AP", "??") for row in drawn.rows
  ]
  drawn.write()
  with pytest.raises(ValueError, match="48 faults") as caught:
    tfds_chestxray14.read_lists(drawn.path)
  assert str(caught.value).count("View Position is") == 20
  assert "and 28 more" in str(caught.value)


@pytest.mark.parametrize("column", ["Finding Labels", "Patient ID"])
def test_missing_column_is_named(drawn, column):
  drawn.header = drawn.header.replace(column, "Something")
  drawn.write()
  with pytest.raises(ValueError, match=f"lacks '{column}'"):
    tfds_chestxray14.read_lists(drawn.path)


def test_missing_lists_are_named_with_the_paths(drawn):
  (drawn.path / "test_list.txt").unlink()
  (drawn.path / "BBox_List_2017.csv").unlink()
  with pytest.raises(FileNotFoundError) as caught:
    tfds_chestxray14.read_lists(drawn.path)
  assert f"{drawn.path}/test_list.txt.gz" in str(caught.value)
  assert f"{drawn.path}/BBox_List_2017.csv" in str(caught.value)


def test_damaged_gz_is_named(drawn):
  path = drawn.path / "test_list.txt"
  data = gzip.compress(path.read_bytes())[:40]
  path.unlink()
  (drawn.path / "test_list.txt.gz").write_bytes(data)
  with pytest.raises(ValueError, match=r"test_list.txt.gz does not read"):
    tfds_chestxray14.read_lists(drawn.path)


@pytest.mark.parametrize("layout", ["flat", "parts", "parts_flat"])
def test_layouts(drawn, layout):
  images = sorted((drawn.path / "images").iterdir())
  for number, image in enumerate(images):
    part = f"images_{number % 3 + 1:03d}"
    place = {
      "flat": drawn.path,
      "parts": drawn.path / part / "images",
      "parts_flat": drawn.path / part,
    }[layout]
    place.mkdir(parents=True, exist_ok=True)
    image.rename(place / image.name)
  found = tfds_chestxray14.take_survey(drawn.path)
  assert len(found.paths) == 48
  assert not found.faults


def test_image_that_lies_there_twice(drawn):
  shutil.copy(drawn.path / "images/00000001_000.png", drawn.path)
  found = tfds_chestxray14.take_survey(drawn.path)
  assert len(found.faults) == 1
  assert "lies there twice" in found.faults[0]


def _pack(drawn):
  """Put the images into two archives, as NIH does."""
  images = sorted((drawn.path / "images").iterdir())
  for number in range(2):
    with tarfile.open(drawn.path / f"images_00{number}.tar.gz", "w:gz") as tar:
      for image in images[number::2]:
        tar.add(image, f"images/{image.name}")
  shutil.rmtree(drawn.path / "images")


def test_archives_are_said_to_want_unpacking(drawn):
  _pack(drawn)
  with pytest.raises(FileNotFoundError, match="--unpack"):
    tfds_chestxray14.take_survey(drawn.path)


def test_archives_are_unpacked_once_and_after_a_break(drawn, monkeypatch):
  _pack(drawn)
  whole = unpacking.unpack

  def broken(archive, folder):
    if archive.name == "images_001.tar.gz":
      (folder / "00000001_001.png").write_bytes(b"half of it")
      raise KeyboardInterrupt
    return whole(archive, folder)

  monkeypatch.setattr(unpacking, "unpack", broken)
  with pytest.raises(KeyboardInterrupt):
    unpacking.unpack_all(drawn.path)
  monkeypatch.setattr(unpacking, "unpack", whole)
  assert unpacking.unpack_all(drawn.path) == {"images_001.tar.gz": 24}
  assert unpacking.unpack_all(drawn.path) == {}
  found = tfds_chestxray14.take_survey(drawn.path)
  assert (len(found.probes), found.bad, found.faults) == (48, {}, [])


def test_archives_beside_their_images_are_left(drawn):
  images = drawn.path / "images"
  _pack(drawn)
  unpacking.unpack_all(drawn.path)
  for mark in drawn.path.glob(".*.unpacked"):
    mark.unlink()
  place = drawn.path / "images_001" / "images"
  place.parent.mkdir()
  images.rename(place)
  assert unpacking.unpack_all(drawn.path) == {}


def test_images_under_other_names(drawn):
  for image in (drawn.path / "images").iterdir():
    image.rename(image.with_name("x" + image.name))
  found = tfds_chestxray14.take_survey(drawn.path)
  assert "48 images, none of them listed" in found.faults[0]


def test_official_validation_list(drawn):
  names = drawn.train_val[:3]
  lines = [f"{name} 0 1 0" for name in names]
  (drawn.path / "val_list.txt").write_text("\n".join(lines))
  found = tfds_chestxray14.take_survey(
    drawn.path, validation="official_val_75312"
  )
  split_of = found.lists.split_of
  assert [k + ".png" for k, s in split_of.items() if s == "validation"] == names
  assert found.patients_in_both() == {2}
