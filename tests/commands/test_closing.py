"""The commands that a run ends with can be given as they stand."""

import os
import pathlib
import shlex
import sys

import numpy as np

from chexjax.commands import closing


class Films:
  def annotation(self, index):
    return {"file_name": b"00000001_000.png", "labels": np.zeros(1)}


def test_a_film_is_found_in_every_layout(tmp_path):
  assert closing.film_of(Films(), tmp_path) == tmp_path
  for folder in ("images_003/images", "images", ""):
    path = tmp_path / folder / "00000001_000.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    assert closing.film_of(Films(), tmp_path) == path


def test_the_interpreter_is_named_as_a_shell_finds_it(tmp_path, monkeypatch):
  here = os.path.dirname(sys.executable)
  (tmp_path / "bin").mkdir()
  monkeypatch.setenv("PATH", str(tmp_path / "bin"))
  # No `python`, or another one.
  assert closing.interpreter() == sys.executable
  (tmp_path / "bin" / "python").symlink_to(sys.executable)
  assert closing.interpreter() == sys.executable
  monkeypatch.chdir(here)
  assert closing.interpreter() == os.path.basename(sys.executable)
  monkeypatch.setattr(closing.shutil, "which", lambda name: sys.executable)
  assert closing.interpreter() == "python"


def test_names_with_blanks_are_quoted(tmp_path):
  *_, report, predict, board = closing.next_of_run(
    tmp_path / "a run", Films(), tmp_path
  )
  assert shlex.split(report)[-1] == f"--workdir={tmp_path / 'a run'}"
  assert f"--weights={tmp_path / 'a run'}" in shlex.split(predict)
  assert shlex.split(board)[-1] == f"--logdir={tmp_path / 'a run/tensorboard'}"


def test_paths_are_told_without_a_way_back(tmp_path, monkeypatch):
  (tmp_path / "here" / "bin").mkdir(parents=True)
  (tmp_path / "python").symlink_to(sys.executable)
  monkeypatch.chdir(tmp_path / "here")
  monkeypatch.setenv("PATH", "")
  winding = tmp_path / "here" / "bin" / ".." / ".." / "python"
  monkeypatch.setattr(sys, "executable", str(winding))
  # The link itself: what it leads to is another environment's interpreter.
  assert closing.interpreter() == str(tmp_path / "python")
  workdir = tmp_path / "here" / "bin" / ".." / "run"
  (tmp_path / "00000001_000.png").write_bytes(b"")
  lines = closing.next_of_run(workdir, Films(), tmp_path / "here" / "..")
  assert ".." not in " ".join(lines)
  assert "--workdir=run" in shlex.split(lines[1])
  assert shlex.split(lines[2])[-1] == str(tmp_path / "00000001_000.png")
  # A path that is direct stays as it was given.
  assert "--workdir=runs/a" in closing.report_command(pathlib.Path("runs/a"))
