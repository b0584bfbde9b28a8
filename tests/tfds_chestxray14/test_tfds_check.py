"""`python -m tfds_chestxray14.check`."""

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
  assert "1 images that cannot be read" in out
  assert "missing train 00000002_000.png" in out
  assert "can be built" not in out


def test_skip_bad_lets_unreadable_images_pass(drawn):
  (drawn.path / "images/00000001_000.png").write_bytes(b"broken")
  assert check.main([str(drawn.path)]) == 1
  assert check.main([str(drawn.path), "--skip_bad"]) == 0


def test_missing_folder(tmp_path, capsys):
  assert check.main([str(tmp_path / "no")]) == 2
  assert "No folder" in capsys.readouterr().err
