"""Records that are damaged are built anew, or named."""

import json

import numpy as np
import pytest

from chexjax.data import record_cache
from chexjax.data.own_set import open_folder
from chexjax.data.phantom import write_phantom


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  folder = tmp_path_factory.mktemp("nih") / "p"
  return write_phantom(folder, num_images=40, size=64, workers=1)


@pytest.fixture(scope="module")
def cache(folder, tmp_path_factory):
  cache = tmp_path_factory.mktemp("cache")
  open_folder(folder, size=128, cache=cache)
  return cache


def content(folder, cache):
  splits = open_folder(folder, size=128, cache=cache).splits
  return [
    (name, i, source[i]["image"].sum(), source.annotation(i)["file_name"])
    for name, source in splits.items()
    for i in range(len(source))
  ]


@pytest.mark.parametrize(
  "pattern",
  ["*test.array_record*", "*train.array_record*", "dataset_info.json",
   "features.json", "sex.labels.txt"],
)  # fmt: skip
@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_they_are_named_and_built_anew(folder, cache, capsys, pattern, damage):
  whole = content(folder, cache)
  assert "damaged" not in capsys.readouterr().err
  (path,) = cache.rglob(pattern)
  if damage == "missing":
    path.unlink()
  else:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
  assert content(folder, cache) == whole
  assert "are damaged" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", '{"folder', "[]"])
def test_without_their_note_they_are_taken_as_they_are(folder, cache, text):
  (path,) = cache.rglob(record_cache.SOURCE)
  before = path.read_text()
  whole = content(folder, cache)
  path.write_text(text)
  assert content(folder, cache) == whole
  path.write_text(before)
  note = json.loads(before)
  assert any(name.endswith("dataset_info.json") for name in note["files"])


def test_a_record_that_is_damaged_inside_ends_in_a_sentence(folder, cache):
  (path,) = cache.rglob("*test.array_record*")
  data = bytearray(path.read_bytes())
  # The records are all over the file.
  for place in range(0, len(data), 500):
    data[place : place + 100] = bytes(100)
  path.write_bytes(data)
  source = open_folder(folder, size=128, cache=cache).splits["test"]
  with pytest.raises(OSError, match="delete the records in the cache"):
    np.sum([source[i]["image"].sum() for i in range(len(source))])
