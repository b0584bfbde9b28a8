"""The contact sheet of augmentations."""

import numpy as np
from PIL import Image

from experiments.contact_sheet import main


def test_a_sheet_is_written(own_folder, tmp_path, capsys):
  own = own_folder(tmp_path / "own").write()
  out = tmp_path / "sheets" / "a.png"
  argv = [f"--out={out}", f"--data_dir={own}", "--image_size=128"]
  assert main([*argv, "--rows=2", "--columns=3", "--augment.zoom=0.3"]) == 0
  assert "2 images with 3 augmentations" in capsys.readouterr().out
  sheet = np.asarray(Image.open(out))
  assert sheet.shape == (264, 528, 3)
  # The box of every image, 24..72 of 96 wide, is drawn where it should be.
  assert sheet[32, 32:96].std(0).max() < 1
  assert [path.name for path in out.parent.iterdir()] == ["a.png"]


def test_a_folder_without_a_set_is_named(tmp_path, capsys):
  (tmp_path / "empty").mkdir()
  argv = [f"--out={tmp_path / 'a.png'}", f"--data_dir={tmp_path / 'empty'}"]
  assert main([*argv, f"--cache_dir={tmp_path / 'c'}"]) == 2
  assert "empty" in capsys.readouterr().err
