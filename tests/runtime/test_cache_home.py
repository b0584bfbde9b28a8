"""Where the cache is, with and without a home."""

import errno
import os
import pathlib
import pwd
import tempfile

import pytest

from chexjax.runtime import cache_home
from chexjax.runtime.cache_home import DEFAULT
from chexjax.training import weight_files


@pytest.fixture
def located(tmp_path, monkeypatch):
  """Finds the cache anew, with a temp directory of the test's own."""
  temp = tmp_path / "temp"
  temp.mkdir()
  monkeypatch.setattr(tempfile, "tempdir", str(temp))
  monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
  cache_home._located.cache_clear()
  yield cache_home.cache_home
  cache_home._located.cache_clear()


@pytest.fixture
def homeless(monkeypatch):
  def unknown(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")

  monkeypatch.delenv("HOME")
  monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_the_users_cache_folder_is_respected(located, tmp_path, monkeypatch):
  monkeypatch.setenv("HOME", str(tmp_path))
  assert located(DEFAULT) == tmp_path / ".cache" / "chexjax"
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
  assert located(DEFAULT) == tmp_path / "xdg" / "chexjax"
  monkeypatch.setenv("XDG_CACHE_HOME", "relative")
  assert located(DEFAULT) == tmp_path / ".cache" / "chexjax"
  # Nothing is made by looking.
  assert {p.name for p in tmp_path.iterdir()} == {"temp"}


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_private_temp_folder_is_used_and_told_once(
  located, tmp_path, capsys
):
  folder = located(DEFAULT)
  assert folder == tmp_path / "temp" / f"chexjax-{os.getuid()}"
  assert folder.stat().st_mode & 0o777 == 0o700
  assert located(DEFAULT) == folder
  said = capsys.readouterr().err
  assert said.count("\n") == 1
  assert "the home folder is not known" in said
  assert str(folder) in said


def test_a_home_that_cannot_be_written_is_named(
  located, tmp_path, monkeypatch, capsys
):
  # No folder can be made in a file, not even by the superuser.
  (tmp_path / "home").write_text("")
  monkeypatch.setenv("HOME", str(tmp_path / "home"))
  assert located(DEFAULT).parent == tmp_path / "temp"
  assert f"{tmp_path / 'home'} is no folder" in capsys.readouterr().err


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("kind", ["open to all", "link", "file"])
def test_a_temp_folder_that_others_may_write_is_not_trusted(
  located, tmp_path, kind
):
  known = tmp_path / "temp" / f"chexjax-{os.getuid()}"
  if kind == "open to all":
    known.mkdir()
    known.chmod(0o777)
  elif kind == "link":
    (tmp_path / "theirs").mkdir(mode=0o700)
    known.symlink_to(tmp_path / "theirs")
  else:
    known.write_text("")
  folder = located(DEFAULT)
  assert folder != known
  assert folder.parent == tmp_path / "temp"
  assert folder.stat().st_mode & 0o777 == 0o700


def test_a_chosen_folder_is_used_or_refused(located, tmp_path):
  assert located(tmp_path / "mine") == tmp_path / "mine"
  (tmp_path / "file").write_text("")
  with pytest.raises(ValueError, match=r"--cache_dir=.* cannot be used: .*"):
    located(tmp_path / "file" / "x")


@pytest.mark.usefixtures("homeless")
def test_a_chosen_folder_in_no_home_is_refused(located):
  with pytest.raises(ValueError, match=r"~/x: the home folder is not known"):
    located(pathlib.Path("~/x"))


def test_the_cache_of_another_machine_gives_way(located, tmp_path, monkeypatch):
  monkeypatch.setenv("HOME", str(tmp_path))
  (tmp_path / "file").write_text("")
  path = tmp_path / "file" / "x"
  assert located(path, strict=False) == tmp_path / ".cache" / "chexjax"


def test_a_full_disk_is_no_reason_for_another_folder(
  located, tmp_path, monkeypatch
):
  def full(**_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setenv("HOME", str(tmp_path))
  (tmp_path / ".cache" / "chexjax").mkdir(parents=True)
  monkeypatch.setattr(tempfile, "TemporaryFile", full)
  for path in (DEFAULT, tmp_path):
    with pytest.raises(OSError, match="No space left"):
      located(path)


@pytest.mark.usefixtures("homeless", "located")
def test_downloads_go_to_the_cache_where_there_is_no_home(
  monkeypatch, tmp_path
):
  for name in ("HF_HOME", "HF_HUB_CACHE"):
    monkeypatch.delenv(name, raising=False)
  folder = weight_files._hub_options()["cache_dir"]
  assert pathlib.Path(folder).parent.parent == tmp_path / "temp"
  monkeypatch.setenv("HF_HOME", str(tmp_path))
  assert weight_files._hub_options() == {}
