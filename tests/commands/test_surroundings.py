"""Consoles, homes and disks that a command may find."""

import errno
import fcntl
import io
import multiprocessing
import os
import pwd
import sys

import pytest

from chexjax import io as files
from chexjax.commands import console, predict
from chexjax.training.metrics_writer import MetricsWriter
from tfds_chestxray14 import check
from tfds_chestxray14.nameless import nameless_users

TEXT = "Ödem 胸部 \udcff"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_text_is_written_to_any_console(monkeypatch, encoding):
  written = io.BytesIO()
  monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))

  def main():
    print(TEXT)
    return 0

  assert console.run_command(main) == 0
  sys.stdout.flush()
  assert b"\\udcff" in written.getvalue()


def test_a_process_without_console_does_its_work(monkeypatch, tmp_path):
  monkeypatch.setattr(sys, "stdout", None)
  monkeypatch.setattr(sys, "stderr", None)

  def main():
    print(TEXT)
    raise OSError("no disk")

  assert console.run_command(main) == console.IO_ERROR
  assert check.main([str(tmp_path)]) == 2


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
def test_a_disk_without_locks_holds_nobody_up(tmp_path, monkeypatch, number):
  def refuse(*_):
    raise OSError(number, os.strerror(number))

  monkeypatch.setattr(fcntl, "flock", refuse)
  for _ in range(2):
    with files.held(tmp_path):
      pass
  # What a process that was killed has left holds nobody up either.
  (tmp_path / ".lock").write_text("")
  with files.held(tmp_path):
    pass


@pytest.fixture
def homeless(monkeypatch):
  def unknown(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")

  monkeypatch.delenv("HOME")
  monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("homeless")
def test_a_tilde_without_a_home_is_refused(tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  with pytest.raises(SystemExit) as caught:
    predict.main(["--weights=~/w", "--out=x", "a.png"])
  assert caught.value.code == 2
  assert "error: ~/w: the home folder is not known" in capsys.readouterr().err
  assert check.main(["~/nih"]) == 2
  assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_name_has_a_number():
  with pytest.raises(KeyError):
    pwd.getpwuid(4321)
  with nameless_users():
    assert pwd.getpwuid(4321).pw_name == "4321"
  with pytest.raises(KeyError):
    pwd.getpwuid(4321)


def test_without_shared_memory_the_figures_are_kept_all_the_same(
  tmp_path, monkeypatch, capsys
):
  def refuse():
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))

  monkeypatch.setattr(multiprocessing, "Semaphore", refuse)
  writer = MetricsWriter(tmp_path, stage=1)
  writer.write(1, {"loss": 0.5})
  writer.close()
  assert '"loss": 0.5' in (tmp_path / "metrics.jsonl").read_text()
  assert not (tmp_path / "tensorboard").exists()
  assert "no TensorBoard file" in capsys.readouterr().err


class Unraisable:
  """What Python gives to `sys.unraisablehook`."""

  def __init__(self, error):
    self.exc_value, self.exc_traceback = error, None
    try:
      raise error
    except type(error):
      self.exc_traceback = sys.exc_info()[2]


def test_only_echoes_of_a_failed_read_are_hidden(monkeypatch):
  shown = []
  monkeypatch.setattr(sys, "unraisablehook", shown.append)
  for _ in range(2):
    assert console.run_command(lambda: 0) == 0
  sys.unraisablehook(Unraisable(RuntimeError("Event loop is closed")))
  assert not shown
  sys.unraisablehook(Unraisable(RuntimeError("of the user")))
  assert [str(x.exc_value) for x in shown] == ["of the user"]
