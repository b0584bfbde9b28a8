"""`chexjax leaks` on a folder of one's own."""

from chexjax.commands import leaks


def test_a_folder_is_checked(own_folder, tmp_path, capsys):
  folder = own_folder(tmp_path / "own").write()
  argv = [f"--data_dir={folder}", f"--cache_dir={tmp_path / 'c'}"]
  # Its three validation patients are too few to say anything.
  assert leaks.main(argv) == 0
  said = capsys.readouterr().out
  assert "no trivial statistic predicts a label" in said
  assert "from the training to the test films" in said


def test_no_folder_is_an_error(tmp_path, capsys):
  argv = [f"--data_dir={tmp_path / 'nowhere'}", f"--cache_dir={tmp_path}"]
  assert leaks.main(argv) == 2
  assert "nowhere" in capsys.readouterr().err
