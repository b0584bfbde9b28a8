"""`python -m tfds_chestxray14.check`."""

import errno
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from tfds_chestxray14 import check, download, unpacking


def test_good_folder(drawn, capsys):
  assert check.main([str(drawn.path)]) == 0
  out = capsys.readouterr().out
  assert "16 of      16 listed images" in out
  assert "48 PNG L 128x128" in out
  assert "can be built" in out


def test_every_fault_is_printed(drawn, capsys):
  drawn.rows = [
    row.replace("PA", "??").replace("AP", "??") for row in drawn.rows
  ]
  drawn.write()
  (drawn.path / "images/00000001_000.png").write_bytes(b"broken")
  (drawn.path / "images/00000002_000.png").unlink()
  assert check.main([str(drawn.path), "--list_missing"]) == 1
  out = capsys.readouterr().out
  assert out.count("View Position is") == 48
  assert "1 bad images" in out
  assert "missing train 00000002_000.png" in out
  assert "can be built" not in out


def test_skip_bad_lets_unreadable_images_pass(drawn):
  (drawn.path / "images/00000001_000.png").write_bytes(b"broken")
  assert check.main([str(drawn.path)]) == 1
  assert check.main([str(drawn.path), "--skip_bad"]) == 0


def test_missing_folder(tmp_path, capsys):
  assert check.main([str(tmp_path / "no")]) == 2
  assert "No folder" in capsys.readouterr().err


def test_surplus_and_odd_sizes_are_listed_without_failing(drawn, draw, capsys):
  draw(1, 64).save(drawn.path / "images/00000001_000.png")
  draw(1).save(drawn.path / "images/00099999_000.png")
  assert check.main([str(drawn.path), "--list_surplus"]) == 0
  out = capsys.readouterr().out
  assert f"surplus {drawn.path}/images/00099999_000.png" in out
  assert "1 images of another size (no fault)" in out
  assert "00000001_000.png is PNG L 64x64, most are 128x128" in out


def test_archives_are_unpacked_when_asked(drawn):
  with tarfile.open(drawn.path / "images_001.tar.gz", "w:gz") as tar:
    tar.add(drawn.path / "images", "images")
  shutil.rmtree(drawn.path / "images")
  assert check.main([str(drawn.path)]) == 2
  assert check.main([str(drawn.path), "--unpack"]) == 0


def _pack(drawn, name):
  """Move the images into an archive, with what macOS and Windows add."""
  images = drawn.path / "images"
  litter = drawn.path / "litter"
  litter.write_text("x")
  added = [(path, f"images/{path.name}") for path in sorted(images.iterdir())]
  added = [
    (litter, "__MACOSX/images/._00000001_000.png"),
    (litter, "images/.DS_Store"),
    *added,
  ]
  path = drawn.path / name
  path.parent.mkdir(exist_ok=True)
  if name.endswith(".zip"):
    with zipfile.ZipFile(path, "w") as packed:
      packed.writestr("images/", "")
      for file, inside in added:
        packed.write(file, inside)
  else:
    with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as packed:
      for file, inside in added:
        packed.add(file, inside)
  litter.unlink()
  for file in images.glob("0*.png"):
    file.unlink()


@pytest.mark.parametrize(
  "name",
  [
    "images_001.zip", "images_001.tar", "images/images_001.tar.gz",
    "images/images_001.zip", "images/images_01.tgz",
  ],
)  # fmt: skip
def test_archives_of_other_kinds_and_in_images(drawn, name, capsys):
  _pack(drawn, name)
  assert check.main([str(drawn.path)]) == 2
  assert "--unpack" in capsys.readouterr().err
  assert check.main([str(drawn.path), "--unpack"]) == 0
  assert "48}" in capsys.readouterr().out
  assert not unpacking.waiting(drawn.path)
  names = {path.name for path in (drawn.path / "images").glob("*.png")}
  assert len(names) == 48


def _zip_of(path, name, data=b"x", mode=0):
  info = zipfile.ZipInfo(name)
  info.external_attr = mode << 16
  with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
    packed.writestr(info, data)


@pytest.mark.parametrize(
  ("name", "data", "mode", "said"),
  [
    ("../a.png", b"x", 0, "leads out"),
    ("/a.png", b"x", 0, "leads out"),
    ("a.png", b"/etc/passwd", 0o120777, "is a link"),
    ("a.exe", b"x", 0, "is no .png"),
    ("a.png", bytes((64 << 20) + 1), 0, "are taken"),
  ],
)
def test_a_zip_is_not_trusted(drawn, capsys, name, data, mode, said):
  _zip_of(drawn.path / "images_001.zip", name, data, mode)
  assert check.main([str(drawn.path), "--unpack"]) == 2
  assert said in capsys.readouterr().err
  assert not (drawn.path.parent / "a.png").exists()


def test_a_damaged_zip_is_named(drawn, capsys):
  path = drawn.path / "images_001.zip"
  _pack(drawn, path.name)
  path.write_bytes(path.read_bytes()[:-200])
  assert check.main([str(drawn.path), "--unpack"]) == 2
  assert "images_001.zip does not unpack" in capsys.readouterr().err


def test_hidden_and_system_files_are_counted(drawn, capsys):
  for name in ("._00000001_000.png", ".hidden.jpg"):
    (drawn.path / "images" / name).write_bytes(b"x")
  (drawn.path / "images" / "@eaDir").mkdir()
  (drawn.path / "images" / "@eaDir" / "00000001_000.png").write_bytes(b"x")
  assert check.main([str(drawn.path)]) == 0
  out = capsys.readouterr().out
  assert "hidden and system files (not used): 2" in out
  assert "in no list (not used): 0" in out


@pytest.mark.parametrize(
  ("code", "status"),
  [(errno.EROFS, 2), (errno.EACCES, 2), (errno.ENOSPC, 74), (errno.EIO, 2)],
)
def test_what_the_system_refuses_is_a_sentence(
  drawn, monkeypatch, capsys, code, status
):
  _pack(drawn, "images_001.tar.gz")

  def refused(self, *args, **options):
    raise OSError(code, os.strerror(code), str(self))

  monkeypatch.setattr(pathlib.Path, "touch", refused)
  assert check.main([str(drawn.path), "--unpack"]) == status
  assert os.strerror(code) in capsys.readouterr().err


def test_a_reader_that_ends_early_is_no_fault(drawn):
  command = [sys.executable, "-m", "tfds_chestxray14.check", str(drawn.path)]
  process = subprocess.Popen(
    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
  )
  process.stdout.close()
  assert process.stderr.read() == b""
  assert process.wait(60) == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path, capsys):
  (tmp_path / "file").write_text("")
  for out in (tmp_path / "file", tmp_path / "file" / "x"):
    assert download.main([f"--out={out}"], archives=(), lists=()) == 2
    assert str(tmp_path / "file") in capsys.readouterr().err
