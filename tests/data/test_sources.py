"""Records are built anew when what they came from has changed."""

import contextlib
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from chexjax.data import record_cache
from chexjax.data.own_set import open_folder
from chexjax.data.phantom import ensure_phantom, write, write_phantom
from chexjax.data.record_cache import folder_digest


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
  folder = tmp_path_factory.mktemp("phantom") / "p"
  return write_phantom(folder, num_images=40, size=64, workers=1)


@pytest.fixture
def folder(phantom, tmp_path):
  """A phantom whose images are a link; they are in `store`."""
  made = tmp_path / "nih"
  made.mkdir()
  for path in phantom.iterdir():
    if path.suffix in (".csv", ".txt"):
      (made / path.name).write_bytes(path.read_bytes())
  store = tmp_path / "store"
  store.mkdir()
  for path in (phantom / "images").iterdir():
    (store / path.name).write_bytes(path.read_bytes())
  (made / "images").symlink_to(store)
  return made


def films(folder):
  return sorted((folder / "images").iterdir())


def boxes_corrected(folder):
  path = folder / "BBox_List_2017.csv"
  path.write_text(path.read_text().replace("1", "2"))


def same_size_replaced(folder):
  path = films(folder)[0]
  data = path.read_bytes()
  path.unlink()
  path.write_bytes(bytes(len(data)))


def list_is_a_link(folder):
  target = folder.parent / "test_list.txt"
  (folder / "test_list.txt").rename(target)
  (folder / "test_list.txt").symlink_to(target)
  target.write_text(target.read_text() + "\n")


@pytest.mark.parametrize(
  "change",
  [
    boxes_corrected,
    same_size_replaced,
    list_is_a_link,
    lambda folder: films(folder)[0].unlink(),
    lambda folder: (folder / "images/new.jpg").write_bytes(b"1"),
    lambda folder: films(folder)[0].rename(folder / "moved.png"),
  ],
)
def test_what_is_read_is_in_the_key(folder, change):
  before = folder_digest(folder)
  assert folder_digest(folder) == before
  change(folder)
  assert folder_digest(folder) != before


@pytest.mark.parametrize(
  "name",
  [
    "run/log.txt", "run/figures/a.png", "notes.csv", "val_list.txt",
    "images/.DS_Store", "images/._a.png", "images/@eaDir/a.png",
    "__MACOSX/a.png", "images_1.tar.gz.part", "phantom.json",
  ],
)  # fmt: skip
def test_what_is_not_read_is_not_in_the_key(folder, name):
  before = folder_digest(folder)
  path = folder / name
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text("x")
  assert folder_digest(folder) == before


def test_changed_films_are_seen_and_older_records_named(
  folder, tmp_path, capsys
):
  def opened():
    return open_folder(folder, size=128, cache=tmp_path / "cache")

  (folder / "images" / "._a.png").write_bytes(b"x")
  count = len(opened().splits["test"])
  said = capsys.readouterr().out
  assert "as it was before" not in said
  # How many films, in our words; TFDS's own lines are not there.
  films_in = len(list(folder.glob("images/0*.png")))
  assert f"building records of {films_in} films" in said
  assert "ownload" not in said
  assert "1 hidden and system files are ignored" in said
  old = record_cache.folder_digest(folder)
  for path in films(folder):
    Image.new("L", (64, 64)).save(path)
  test = opened().splits["test"]
  assert len(test) == count
  assert not np.any(test[0]["image"])
  assert f"{tmp_path / 'cache' / old} holds records" in capsys.readouterr().out
  # By its manifest a phantom's folder is known, so that no results of it are
  # called ChestX-ray14's.
  assert "name" not in opened().metadata
  (folder / "phantom.json").write_text("{}")
  assert opened().metadata["name"] == "phantom"


BUILD = """
import pathlib, sys, time
import logging
logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
from chexjax.data import record_cache
time.sleep(max(0, float(sys.argv[3]) - time.time()))
builder = record_cache.prepared_builder(
  pathlib.Path(sys.argv[1]), size=128, cache=pathlib.Path(sys.argv[2]))
print("took", builder.is_prepared())
"""


def test_who_comes_second_waits_and_takes_the_records(folder, tmp_path):
  cache = tmp_path / "cache"
  # This process builds, for as long as the other one is not there.
  with record_cache.turn(cache, folder, work="builds"):
    other = subprocess.Popen(
      [sys.executable, "-c", BUILD, folder, cache, "0"],
      stdout=subprocess.PIPE,
      text=True,
      env=os.environ | {"JAX_PLATFORMS": "cpu"},
    )
    for line in other.stdout:
      if "another process builds records" in line:
        break
    place = cache / folder_digest(folder)
    builder = record_cache._builder(place, 128)
    record_cache._build(builder, folder, place)
    built = {p: p.stat().st_mtime_ns for p in place.rglob("*")}
  assert "took True" in other.communicate(timeout=60)[0]
  assert built == {p: p.stat().st_mtime_ns for p in place.rglob("*")}


def test_a_phantom_is_drawn_by_one(tmp_path):
  code = (
    "import sys, pathlib; from chexjax.data import phantom\n"
    "print(phantom.ensure_phantom(sys.argv[1], num_images=100, size=64,"
    " workers=1))"
  )
  two = [
    subprocess.Popen(
      [sys.executable, "-c", code, tmp_path / "p"], stderr=subprocess.PIPE
    )
    for _ in range(2)
  ]
  assert [process.communicate(timeout=60)[1] for process in two] == [b"", b""]
  assert [process.returncode for process in two] == [0, 0]
  assert ensure_phantom(tmp_path / "p", num_images=100, size=64)


def test_a_full_disk_is_said_by_the_system_error(folder, tmp_path, monkeypatch):
  class Full:
    def download_and_prepare(self, **options):
      raise RuntimeError("write() failed: No space left on device; writing x")

  with pytest.raises(OSError, match="No space left") as caught:
    record_cache._build(Full(), folder, tmp_path)
  assert caught.value.errno == 28


def test_without_locks_the_second_takes_what_is_there(
  folder, tmp_path, monkeypatch
):
  whole = write.new_folder

  @contextlib.contextmanager
  def second(path):
    with whole(path) as scratch:
      yield scratch
      shutil.copytree(scratch, path)

  monkeypatch.setattr(write, "new_folder", second)
  ensure_phantom(tmp_path / "p", num_images=40, size=64, workers=1)
  place = tmp_path / "rec"
  late = record_cache._builder(place, 128)
  record_cache._build(record_cache._builder(place, 128), folder, place)

  def refused(**options):
    raise FileExistsError("1.0.0")

  monkeypatch.setattr(late, "download_and_prepare", refused)
  record_cache._build(late, folder, place)
  late = record_cache._builder(tmp_path / "other", 128)
  monkeypatch.setattr(late, "download_and_prepare", refused)
  with pytest.raises(FileExistsError):
    record_cache._build(late, folder, place)


def test_another_reason_for_a_folder_that_is_there_is_told(folder, tmp_path):
  (tmp_path / "p").write_text("")
  with pytest.raises(ValueError, match="is a file"):
    ensure_phantom(tmp_path / "p", num_images=40, size=64, workers=1)


def test_records_that_another_finishes_just_then_are_read(
  folder, tmp_path, monkeypatch
):
  real = record_cache._builder

  def just_before(place, size):
    builder = real(place, size)
    monkeypatch.setattr(record_cache, "_builder", real)
    record_cache.prepared_builder(folder, size=64, cache=tmp_path)
    return builder

  monkeypatch.setattr(record_cache, "_builder", just_before)
  builder = record_cache.prepared_builder(folder, size=64, cache=tmp_path)
  assert {"train", "test"} <= set(builder.info.splits)
