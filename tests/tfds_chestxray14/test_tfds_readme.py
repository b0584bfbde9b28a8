"""The examples of the dataset's README, run as printed."""

import importlib.util
import pathlib
import re
import shlex

import numpy as np
import pytest
import tensorflow_datasets as tfds

import tfds_chestxray14
from tfds_chestxray14 import build

README = pathlib.Path(tfds_chestxray14.__file__).with_name("README.md")
# What an example is known by, and what it needs beside the dataset.
NEEDS = {
  "DownloadConfig": "tensorflow_datasets",
  "grain.MapDataset": "grain",
  "torch.utils.data": "torch",
  "import tensorflow as tf": "tensorflow",
  "pandas": "pandas",
  "show_examples": "matplotlib",
}


def blocks(kind):
  return re.findall(rf"```{kind}\n(.*?)```", README.read_text(), re.S)


def needed(text):
  (name,) = (need for words, need in NEEDS.items() if words in text)
  return name


def _build(drawn, monkeypatch):
  """Runs the first example beside a folder of the name that it reads."""
  (drawn.path).rename(drawn.path.with_name("chestxray14"))
  monkeypatch.chdir(drawn.path.parent)
  names = {}
  exec(blocks("python")[0], names)
  return names


def test_build_and_read_in_six_lines(drawn, monkeypatch):
  names = _build(drawn, monkeypatch)
  assert len(names["train"]) == 28
  assert names["train"][0]["image"].shape == (512, 512, 1)
  lines = [line for line in blocks("python")[0].splitlines() if line]
  assert len(lines) == 6


@pytest.mark.parametrize("text", blocks("python")[1:], ids=needed)
def test_examples_run(drawn, monkeypatch, text):
  if importlib.util.find_spec(needed(text)) is None:
    pytest.skip(f"{needed(text)} is not installed")
  names = _build(drawn, monkeypatch)
  names["padded"] = tfds_chestxray14.padded
  exec(text, names)
  if "batch" in names:
    batch = names["batch"]
    assert tuple(batch["image"].shape) == (8, 512, 512, 1)
    assert tuple(batch["boxes"].shape) == (8, 4, 4)
    assert tuple(batch["box_mask"].shape) == (8, 4)
    assert all(isinstance(name, str) for name in batch["file_name"])
    assert str(batch["file_name"][0]).endswith(".png")
  elif "films" in names:
    films = names["films"]
    assert films.split.value_counts().to_dict() == {
      "train": 28, "validation": 4, "test": 16,
    }  # fmt: skip
    assert set(names["patients"]) == set(
      films[films.split == "train"].patient_id
    )
  elif "pairs" in names:
    assert tuple(names["image"].shape) == (8, 512, 512, 1)
    assert tuple(names["labels"].shape) == (8, 14)
  else:
    assert pathlib.Path("boxed.png").stat().st_size > 10_000


def test_the_command_builds(drawn, monkeypatch, capsys):
  (drawn.path).rename(drawn.path.with_name("chestxray14"))
  monkeypatch.chdir(drawn.path.parent)
  (text,) = blocks("sh")
  words = shlex.split(text.replace("512", "128"))
  assert words[:3] == ["python", "-m", "tfds_chestxray14.build"]
  for _ in range(2):
    assert build.main(words[3:]) == 0
    said = capsys.readouterr().out
    assert "28 train, 4 validation, 16 test" in said
  assert "'chest_xray14/128px', split='train', data_dir='records'" in said
  source = tfds.data_source(
    "chest_xray14/128px", split="test", data_dir="records"
  )
  assert len(source) == 16


def test_the_command_names_what_is_wrong(drawn, tmp_path, capsys):
  out = f"--data_dir={tmp_path / 'out'}"
  assert build.main([str(tmp_path / "none"), out]) == 2
  assert f"{tmp_path / 'none'} is no folder" in capsys.readouterr().err
  (drawn.path / "images" / "00000001_000.png").write_bytes(b"broken")
  assert build.main([str(drawn.path), "--size=64", out]) == 2
  assert "00000001_000.png does not decode" in capsys.readouterr().err
  assert build.main([str(drawn.path), "--size=64", out, "--skip_bad"]) == 0
  (drawn.path / "test_list.txt").unlink()
  assert build.main([str(drawn.path), "--size=128", out]) == 2
  assert "test_list.txt" in capsys.readouterr().err
  assert build.main([str(drawn.path), f"{out}/x\0y"]) == 2


def test_images_that_came_after_the_build_are_told(drawn, tmp_path, capsys):
  argv = [str(drawn.path), "--size=64", f"--data_dir={tmp_path / 'out'}"]
  late = drawn.path / "images" / "00000001_000.png"
  away = late.rename(tmp_path / late.name)
  for _ in range(2):
    assert build.main(argv) == 0
    assert "note:" not in capsys.readouterr().out
  away.rename(late)
  assert build.main(argv) == 0
  said = capsys.readouterr().out
  assert "holds 48 of the listed images, and held 47" in said
  assert str(tmp_path / "out" / "chest_xray14" / "64px") in said


def test_other_validations_are_built_under_their_names(drawn, tmp_path, capsys):
  (drawn.path / "val_list.txt").write_text(drawn.train_val[-1] + "\n")
  out = tmp_path / "out"
  options = ["--validation=official_val_75312", f"--data_dir={out}"]
  assert build.main([str(drawn.path), "--size=64", *options]) == 0
  said = capsys.readouterr().out
  assert "'chest_xray14/64px_val_75312'" in said
  assert "31 train, 1 validation" in said


def example(n):
  return {
    "image": np.zeros((4, 4, 1), np.uint8),
    "labels": np.zeros(14, np.uint8),
    "objects": {
      "bbox": [np.array([0, 0, 0.5, i / 8], np.float32) for i in range(n)],
      "label": [np.int64(i) for i in range(n)],
    },
    "file_name": b"a.png",
    "age": 3,
  }


@pytest.mark.parametrize("n", [0, 1, 4])
def test_boxes_are_padded(n):
  flat = tfds_chestxray14.flat(example(n))
  padded = tfds_chestxray14.padded(example(n))
  assert flat["boxes"].shape == (n, 4)
  assert flat["boxes"].dtype == padded["boxes"].dtype == np.float32
  assert flat["file_name"] == padded["file_name"] == "a.png"
  assert padded["boxes"].shape == (4, 4)
  np.testing.assert_array_equal(padded["boxes"][:n], flat["boxes"])
  np.testing.assert_array_equal(padded["boxes"][n:], 0)
  np.testing.assert_array_equal(
    padded["box_labels"], [*range(n), *[-1] * (4 - n)]
  )
  assert padded["box_mask"].tolist() == [True] * n + [False] * (4 - n)
  assert "objects" not in flat


def test_more_boxes_than_rows_are_named():
  with pytest.raises(ValueError, match=r"a\.png has 5 boxes, more than"):
    tfds_chestxray14.padded(example(5))
  wide = tfds_chestxray14.padded(example(5), max_boxes=6)
  assert wide["box_mask"].sum() == 5


def test_a_sheet_shows_labels_and_boxes():
  films = [example(2), example(0)]
  films[0]["labels"][[1, 9]] = 1
  figure = tfds_chestxray14.show_examples(films, rows=1, columns=3)
  first, second, third = figure.axes
  assert first.get_title() == "a.png\nCardiomegaly, Mass"
  assert second.get_title() == "a.png\nno finding"
  assert [text.get_text() for text in first.texts] == [
    "Atelectasis",
    "Cardiomegaly",
  ]
  assert [len(axis.patches) for axis in figure.axes] == [2, 0, 0]
  # Pixel centres are at whole numbers, so the film begins at -0.5.
  assert first.patches[1].get_bbox().bounds == (-0.5, -0.5, 0.5, 2)
  assert not third.images
