"""The contact sheet of augmentations."""

import numpy as np
import pytest
from PIL import Image

from experiments.contact_sheet import LEFT, TOP, main, tile


def test_a_sheet_is_written(own_folder, tmp_path, capsys):
  own = own_folder(tmp_path / "own").write()
  out = tmp_path / "sheets" / "a.png"
  argv = [f"--out={out}", f"--data_dir={own}", "--image_size=128"]
  assert main([*argv, "--rows=2", "--columns=3", "--augment.zoom=0.3"]) == 0
  assert "2 images with 3 augmentations" in capsys.readouterr().out
  sheet = np.asarray(Image.open(out))
  assert sheet.shape == (TOP + 264, LEFT + 528, 3)
  # The box of every image, 24..72 of 96 wide, is drawn where it should be.
  assert sheet[TOP + 32, LEFT + 32 : LEFT + 96].std(0).max() < 1
  # Name and finding stand beside the row, titles over the columns.
  assert (sheet[TOP : TOP + 16, :LEFT] > 200).any()
  assert (sheet[TOP + 16 : TOP + 40, :LEFT].max((0, 1)) > 200).any()
  columns = [sheet[:TOP, LEFT + n * 132 :][:, :132] for n in range(4)]
  assert all((title > 200).any() for title in columns)
  # Inside a film there is no colour but the box's, which is one pixel wide.
  film = sheet[TOP : TOP + 128, LEFT : LEFT + 128].astype(int)
  coloured = np.ptp(film, -1) > 20
  assert coloured.sum() == 4 * 63
  assert [path.name for path in out.parent.iterdir()] == ["a.png"]


def test_a_folder_without_a_set_is_named(tmp_path, capsys):
  (tmp_path / "empty").mkdir()
  argv = [f"--out={tmp_path / 'a.png'}", f"--data_dir={tmp_path / 'empty'}"]
  assert main([*argv, f"--cache_dir={tmp_path / 'c'}"]) == 2
  assert "empty" in capsys.readouterr().err


@pytest.mark.parametrize(
  "box",
  [
    (3.2, 4.1, 3.9, 4.3), (5, 5, 5, 9), (-4, -4, -3.5, -3.5), (0, 0, 0.1, 16),
    (31.9, 2, 32, 2.5), (40, 40, 41, 40.2),
  ],
)  # fmt: skip
def test_a_box_under_one_pixel_is_drawn(box):
  film = np.zeros((32, 32, 1), np.uint8)
  assert tile(film, {"a": np.array([box])}).size == (32, 32)


@pytest.mark.parametrize("wrong", ["--out={file}/a.png", "--out={folder}"])
def test_an_out_that_cannot_be_made_is_a_sentence(
  own_folder, tmp_path, capsys, wrong
):
  (tmp_path / "file").write_text("")
  (tmp_path / "folder").mkdir()
  own = own_folder(tmp_path / "own").write()
  out = wrong.format(file=tmp_path / "file", folder=tmp_path / "folder")
  argv = [out, f"--data_dir={own}", "--image_size=128", "--rows=1"]
  assert main([*argv, "--columns=0"]) == 2
  assert str(tmp_path) in capsys.readouterr().err
  assert main([argv[0], f"--data_dir={own}", "--rows=0"]) == 2
  assert "--rows must be 1" in capsys.readouterr().err
