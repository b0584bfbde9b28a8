"""Files are there whole or not at all; a folder is one process's."""

import contextlib
import subprocess
import sys
import threading

import pytest

from chexjax import io


def test_two_writers_of_one_path_do_not_mix(tmp_path):
  path = tmp_path / "a.txt"
  with io.replacing(path) as one, io.replacing(path) as two:
    assert one != two
    one.write_text("1" * 1000)
    two.write_text("2" * 10)
  assert path.read_text() == "1" * 1000
  assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_leaves_what_was_there(tmp_path):
  path = tmp_path / "a.json"
  io.write_json(path, {"x": 1})
  with pytest.raises(ValueError, match="not JSON compliant"):
    io.write_json(path, {"x": float("nan")})
  assert io.read_json(path) == {"x": 1}
  with contextlib.suppress(RuntimeError), io.new_folder(tmp_path / "d") as half:
    (half / "file").write_text("")
    raise RuntimeError
  assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_long_name_has_a_scratch_name(tmp_path):
  io.write_text(tmp_path / ("ü" * 120), "x")


def test_a_damaged_json_file_is_named(tmp_path):
  (tmp_path / "x.json").write_bytes(b"\xff{")
  with pytest.raises(ValueError, match=r"x\.json is no JSON"):
    io.read_json(tmp_path / "x.json")


HOLD = """
import pathlib, sys
from chexjax import io
with io.held(pathlib.Path(sys.argv[1])):
  print("held", flush=True)
  sys.stdin.read()
"""


def hold(folder):
  process = subprocess.Popen(
    [sys.executable, "-c", HOLD, folder],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
  )
  assert process.stdout.readline() == "held\n"
  return process


def test_a_folder_in_use_is_named_and_a_dead_process_holds_nothing(tmp_path):
  process = hold(tmp_path / "run")
  with (
    pytest.raises(BlockingIOError, match="run is in use by another process"),
    io.held(tmp_path / "run"),
  ):
    pass
  process.kill()
  process.wait()
  with io.held(tmp_path / "run"):
    pass


def test_who_waits_comes_second(tmp_path):
  process = hold(tmp_path)
  order = []

  def second():
    with io.held(tmp_path, wait=True):
      order.append("second")

  waiting = threading.Thread(target=second)
  waiting.start()
  order.append("first")
  process.communicate()
  waiting.join(20)
  assert order == ["first", "second"]
