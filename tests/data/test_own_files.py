"""Files as they lie in folders that people have."""

import os
import unicodedata

import numpy as np
import pytest
from PIL import Image

from chexjax.data.own_set import open_own_set


@pytest.fixture
def own(own_folder, tmp_path):
  return own_folder(tmp_path / "own")


def rename(own, number, new):
  """Give an image another name, in the folder and in both tables."""
  old = f"a/{number:02}.png"
  (own.path / new).parent.mkdir(parents=True, exist_ok=True)
  os.rename(own.path / old, own.path / new)
  own.labels = [line.replace(old, new) for line in own.labels]
  own.boxes = [line.replace(old, new) for line in own.boxes]


def examples(dataset):
  return {
    source[i]["file_name"].decode(): source[i]
    for source in dataset.splits.values()
    for i in range(len(source))
  }


def test_names_of_every_kind_are_read(own, tmp_path):
  names = ["a/UP.PNG", "deep/er/x.Png", "with space.png", "胸 é.png", "b.JPEG"]
  for number, name in enumerate(names[:-1]):
    rename(own, number, name)
  Image.open(own.path / "a/04.png").save(own.path / "b.JPEG")
  own.labels = [line.replace("a/04.png", "b.JPEG") for line in own.labels]
  own.boxes = [line.replace("a/04.png", "b.JPEG") for line in own.boxes]
  os.rename(own.path / "a/05.png", tmp_path / "elsewhere.png")
  (own.path / "a/05.png").symlink_to(tmp_path / "elsewhere.png")
  os.rename(own.path / "deep", tmp_path / "deep")
  (own.path / "deep").symlink_to(tmp_path / "deep")
  found = examples(open_own_set(own.write(), size=32))
  assert len(found) == 30
  assert set(names) <= set(found)


def test_an_accented_letter_is_found_in_either_form(own):
  rename(own, 0, unicodedata.normalize("NFD", "é.png"))
  own.labels = [unicodedata.normalize("NFC", line) for line in own.labels]
  own.boxes = [unicodedata.normalize("NFC", line) for line in own.boxes]
  assert len(examples(open_own_set(own.write(), size=32))) == 30


def test_system_files_are_ignored_and_counted(own, capsys):
  for name in ("._00.png", ".hidden/a.png", "@eaDir/a/b.png", "__MACOSX/c.png"):
    path = own.path / "a" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no image")
  (own.path / "a/extra.png").write_bytes(b"no image")
  own.labels += ["a/._00.png,Cat,p0", "__MACOSX/a/00.png,Cat,p0"]
  assert len(examples(open_own_set(own.write(), size=32))) == 30
  said = capsys.readouterr().out
  assert "4 hidden and system files are ignored" in said
  assert "2 lines of hidden and system files are ignored" in said
  assert "1 image files have no line in labels.csv" in said
  assert "a/extra.png" in said


def test_what_is_in_an_images_place_is_named(own):
  png = (own.path / "a/03.png").read_bytes()
  jpeg = own.path / "x.jpg"
  Image.open(own.path / "a/04.png").save(jpeg)
  for name, data, _ in (bad := [
    ("a/00.png", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    ("a/01.png", b"\n<!DOCTYPE html><p>Sign in", "web page"),
    ("a/02.png", b"", "is empty"),
    ("a/03.png", png[:-200], "truncated"),
    ("x.jpg", jpeg.read_bytes()[:-300], "truncated"),
    ("a/05.png", b"\0" * 128 + b"DICM", "DICOM"),
  ]):  # fmt: skip
    (own.path / name).write_bytes(data)
  own.labels += ["x.jpg,Cat,p0", "a/06.jpg,Cat,p0", "06,Cat,p0"]
  with pytest.raises(ValueError, match="8 faults") as caught:
    open_own_set(own.write(), size=32)
  text = str(caught.value)
  for name, _, said in bad:
    (line,) = (line for line in text.splitlines() if f" {name} " in line)
    assert said in line
  assert text.count("did you mean a/06.png?") == 2


def test_a_whole_film_with_bytes_behind_its_end_is_read(own):
  path = own.path / "a/00.png"
  path.write_bytes(path.read_bytes() + b"\n\0padding")
  jpeg = own.path / "a/01.png"
  Image.open(jpeg).save(jpeg, format="JPEG")
  jpeg.write_bytes(jpeg.read_bytes() + b"\0" * 9)
  assert len(examples(open_own_set(own.write(), size=32))) == 30


def test_nothing_is_written_to_the_set(own):
  own.write()
  before = sorted((p, p.stat().st_mtime_ns) for p in own.path.rglob("*"))
  own.path.chmod(0o555)
  try:
    assert len(examples(open_own_set(own.path, size=32))) == 30
  finally:
    own.path.chmod(0o755)
  after = sorted((p, p.stat().st_mtime_ns) for p in own.path.rglob("*"))
  assert after == before


def test_films_that_will_be_dark_or_turned_are_told(own, capsys):
  values = np.arange(64 * 96, dtype=np.uint16).reshape(64, 96) % 4096
  Image.fromarray(values).save(own.path / "a/00.png")
  exif = Image.Exif()
  exif[0x0112] = 6
  Image.open(own.path / "a/26.png").save(own.path / "a/26.png", exif=exif)
  open_own_set(own.write(), size=32)
  said = capsys.readouterr().out
  assert "1 of 1 films of 16 bits use a small part" in said
  assert "1 films are turned as their EXIF orientation says" in said


def test_a_film_that_breaks_after_the_opening_is_an_error_of_the_system(
  own_folder, tmp_path
):
  own = own_folder(tmp_path / "own")
  test = open_own_set(own.write(), size=32).splits["test"]
  path = own.path / test.rows[0].file
  data = path.read_bytes()
  path.write_bytes(data[: len(data) // 2] + bytes(50) + data[-60:])
  with pytest.raises(OSError, match=path.name):
    test[0]
  path.unlink()
  with pytest.raises(OSError, match=path.name):
    test[0]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("left", [0.05, 0.5, 0.99])
def test_a_film_cut_short_is_found_at_the_opening(
  own_folder, tmp_path, split, suffix, left
):
  own = own_folder(tmp_path / "own")
  rows = open_own_set(own.write(), size=32).splits[split].rows
  path = own.path / rows[-1].file
  if suffix == "jpg":  # Its name may say PNG.
    Image.open(path).copy().save(path, "JPEG")
  data = path.read_bytes()
  path.write_bytes(data[: int(len(data) * left)])
  with pytest.raises(ValueError, match=rows[-1].file):
    open_own_set(own.path, size=32)
