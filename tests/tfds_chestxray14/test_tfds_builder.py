"""Building and reading through TFDS."""

import pathlib
import pickle
import shutil
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import tfds_chestxray14

FINDINGS = tfds_chestxray14.FINDINGS


def _build(drawn, out, config="128px", **kwargs):
  builder = tfds.builder(f"chest_xray14/{config}", data_dir=out, **kwargs)
  manual = tfds.download.DownloadConfig(manual_dir=drawn.path)
  builder.download_and_prepare(download_config=manual)
  return builder


@pytest.fixture
def out(tmp_path):
  return tmp_path / "tfds"


def test_built_set_reads_back(drawn, out):
  builder = _build(drawn, out)
  assert builder.info.file_format.value == "array_record"
  sizes = {k: v.num_examples for k, v in builder.info.splits.items()}
  assert sizes == {"train": 28, "validation": 4, "test": 16}
  for split, size in sizes.items():
    source = tfds.data_source("chest_xray14/128px", data_dir=out, split=split)
    assert len(source) == size
    for example in source:
      _check_example(example, drawn.path)


def _check_example(example, folder):
  name = example["file_name"].decode()
  expected = np.asarray(Image.open(folder / "images" / name))
  assert example["image"].dtype == np.uint8
  np.testing.assert_array_equal(example["image"], expected[..., None])
  patient, follow_up = int(name[:8]), int(name[9:12])
  assert example["patient_id"] == patient
  assert example["follow_up"] == follow_up
  assert example["age"] == 30 + patient
  assert example["sex"] == patient % 2
  assert example["view"] == patient % 2
  positive = [FINDINGS[i] for i in np.flatnonzero(example["labels"])]
  assert positive == (["Infiltration", "Mass"] if follow_up else [])
  boxes = np.reshape(example["objects"]["bbox"], (-1, 4))
  labels = [FINDINGS[i] for i in example["objects"]["label"]]
  if name == "00000020_001.png":
    np.testing.assert_allclose(boxes, [[0.5, 0.25, 0.75, 0.375], [0, 0, 1, 1]])
    assert labels == ["Infiltration", "Mass"]
  else:
    assert boxes.shape == (0, 4)
    assert labels == []


def test_metadata_is_read_back(drawn, out):
  (drawn.path / "images/00000001_000.png").unlink()
  Image.new("L", (9, 9)).save(drawn.path / "images/unknown.png")
  _build(drawn, out)
  info = tfds.builder("chest_xray14/128px", data_dir=out).info
  found = dict(info.metadata)
  assert found["size"] == 128
  assert found["findings"] == list(FINDINGS)
  assert found["data_entry_version"] == "2017"
  assert found["counts"]["validation"]["missing"] == 1
  assert found["counts"]["train"]["listed"] == 28
  assert found["surplus_images"] == 1
  assert found["source_images"] == {"PNG L 128x128": 47}
  assert found["storage"]["kept"] == 47
  lists = tfds_chestxray14.read_lists(drawn.path)
  assert found["split_hash"] == tfds_chestxray14.split_hash(lists.split_of)
  assert found["present_hash"] != found["split_hash"]
  test_list = found["files"]["test"]
  assert test_list["sha256"] == lists.files["test"].sha256
  assert not test_list["official"]


def test_order_is_deterministic_and_mixes_patients(drawn, out):
  first = _build(drawn, out / "a").as_data_source("train")
  second = _build(drawn, out / "b", workers=1).as_data_source("train")
  names = [example["file_name"] for example in first]
  assert names == [example["file_name"] for example in second]
  assert names != sorted(names)


def test_resized_mirror_of_jpegs(drawn, out):
  for path in list((drawn.path / "images").iterdir()):
    image = Image.open(path).resize((96, 96))
    image.save(path.with_suffix(".jpg"))
    path.unlink()
  builder = _build(drawn, out, "256px")
  example = next(iter(builder.as_data_source("test")))
  assert example["image"].shape == (256, 256, 1)
  assert builder.info.metadata["storage"]["enlarged"] == 48


def test_split_without_images_is_left_out(drawn, out):
  lists = tfds_chestxray14.read_lists(drawn.path)
  for key, split in lists.split_of.items():
    if split == "validation":
      (drawn.path / "images" / f"{key}.png").unlink()
  builder = _build(drawn, out)
  assert set(builder.info.splits) == {"train", "test"}
  assert builder.info.metadata["counts"]["validation"]["missing"] == 4


def test_pickled_source_and_builder(drawn, out):
  builder = _build(drawn, out)
  source = builder.as_data_source("test")
  again = pickle.loads(pickle.dumps(source))
  np.testing.assert_array_equal(again[3]["image"], source[3]["image"])
  assert len(pickle.loads(pickle.dumps(builder)).as_data_source("test")) == 16


def test_the_number_of_films_is_said_or_told(drawn, tmp_path, capsys):
  _build(drawn, tmp_path / "said")
  said = capsys.readouterr().out
  assert "Building 48 films of chest_xray14/128px" in said
  assert "Unknown size" not in said
  told = []
  builder = tfds.builder("chest_xray14/128px", data_dir=tmp_path / "told")
  builder.watch = lambda *counts: told.append(counts)
  manual = tfds.download.DownloadConfig(manual_dir=drawn.path)
  builder.download_and_prepare(download_config=manual)
  assert told == [(done, 48) for done in range(49)]
  assert capsys.readouterr().out == ""


def test_examples_can_be_limited(drawn, out):
  builder = tfds.builder("chest_xray14/128px", data_dir=out)
  config = tfds.download.DownloadConfig(
    manual_dir=drawn.path, max_examples_per_split=3
  )
  builder.download_and_prepare(download_config=config)
  assert builder.info.splits["test"].num_examples == 3


def test_unreadable_images_stop_the_build(drawn, out):
  for name in ("00000001_000.png", "00000020_000.png"):
    (drawn.path / "images" / name).write_bytes(b"broken")
  with pytest.raises(ValueError, match="2 bad images") as caught:
    _build(drawn, out)
  assert "00000001_000.png does not decode: not an image" in str(caught.value)
  assert "00000020_000.png does not decode" in str(caught.value)
  assert "skip_bad" in str(caught.value)
  assert not list(out.rglob("dataset_info.json"))


def test_image_that_is_not_square_or_holds_floats_stops_the_build(drawn, out):
  images = drawn.path / "images"
  Image.new("L", (128, 96)).save(images / "00000001_000.png")
  (images / "00000002_000.png").unlink()
  floats = Image.new("F", (128, 128))
  floats.save(images / "00000002_000.jpg", format="TIFF")
  with pytest.raises(ValueError, match="2 bad images") as caught:
    _build(drawn, out)
  assert "00000001_000.png is PNG L 128x96, must be square" in str(caught.value)
  assert "00000002_000.jpg holds floats" in str(caught.value)


def test_archives_are_unpacked_by_the_build(drawn, out):
  with tarfile.open(drawn.path / "images_001.tar.gz", "w:gz") as tar:
    tar.add(drawn.path / "images", "images")
  shutil.rmtree(drawn.path / "images")
  builder = _build(drawn, out)
  assert builder.info.splits.total_num_examples == 48


def test_damage_inside_an_image_stops_the_build(drawn, out):
  path = drawn.path / "images" / "00000003_000.png"
  _damage(path)
  with pytest.raises(ValueError, match=r"00000003_000.png does not decode"):
    _build(drawn, out)
  assert not list(out.rglob("dataset_info.json"))
  assert not tfds.builder("chest_xray14/128px", data_dir=out).is_prepared()


def test_skip_bad_leaves_them_out_and_says_so(drawn, out):
  _damage(drawn.path / "images" / "00000003_000.png")
  builder = _build(drawn, out, skip_bad=True)
  quarantine = builder.info.metadata["quarantine"]
  assert list(quarantine) == ["00000003_000"]
  sizes = [split.num_examples for split in builder.info.splits.values()]
  assert sum(sizes) == 47


def test_only_bad_images(drawn, out):
  for path in (drawn.path / "images").iterdir():
    path.write_bytes(b"broken")
  with pytest.raises(ValueError, match="No image of"):
    _build(drawn, out, skip_bad=True)
  assert not list(out.rglob("dataset_info.json"))


def _damage(path):
  data = bytearray(path.read_bytes())
  middle = len(data) // 2
  data[middle : middle + 40] = bytes(40)
  path.write_bytes(data)


def test_faults_stop_the_build(drawn, out):
  drawn.rows[0] = drawn.rows[0].replace("No Finding", "Nothing")
  drawn.write()
  with pytest.raises(ValueError, match="Finding Labels 'Nothing'"):
    _build(drawn, out)


def test_missing_folder(drawn, out):
  drawn.path = drawn.path / "elsewhere"
  with pytest.raises(FileNotFoundError, match="elsewhere"):
    _build(drawn, out)


def test_package_files_and_docs():
  builder = tfds_chestxray14.ChestXray14
  metadata = builder.get_metadata()
  assert "ChestX-ray14" in metadata.description
  assert "wang2017" in metadata.citation
  from tensorflow_datasets.core import dataset_metadata

  assert metadata.tags
  assert set(metadata.tags) <= set(dataset_metadata.valid_tags())
  package = pathlib.Path(tfds_chestxray14.__file__).parent
  assert (package / "checksums.tsv").is_file()


def test_neither_tensorflow_nor_chexjax_is_imported(drawn, out):
  program = f"""
import sys
import tensorflow_datasets as tfds
import tfds_chestxray14
builder = tfds.builder("chest_xray14/128px", data_dir={str(out)!r})
builder.download_and_prepare(download_config=tfds.download.DownloadConfig(
  manual_dir={str(drawn.path)!r}))
assert builder.as_data_source("train")[0]["image"].shape == (128, 128, 1)
wrong = {{"tensorflow", "jax", "chexjax"}} & set(sys.modules)
assert not wrong, wrong
"""
  subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
