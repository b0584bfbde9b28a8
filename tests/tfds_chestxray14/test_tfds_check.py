"""`python -m tfds_chestxray14.check`."""

import shutil
import tarfile

from tfds_chestxray14 import check


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
