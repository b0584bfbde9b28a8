"""Arrows between the inner rooms of `chexjax.evaluation` go down only."""

import ast
import pathlib
import subprocess
import sys

import pytest

from chexjax import evaluation

ROOM = pathlib.Path(evaluation.__file__).parent
MAY_IMPORT = {
  "measures": set(),
  "collected": {"measures"},
  "protocols": {"measures", "collected"},
  "outputs": {"measures", "collected", "protocols"},
  "submissions": {"measures", "collected", "protocols", "outputs"},
  "api": {"measures", "collected", "protocols", "outputs"},
}


def imported(path):
  """Yields the dotted names that a file imports, wherever in it."""
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of(room):
  path = ROOM / room
  return path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]


def inner_imports(path):
  prefix = "chexjax.evaluation."
  names = (n for n in imported(path) if f"{n}.".startswith(prefix))
  return {n.removeprefix(prefix).split(".")[0] for n in names}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_an_inner_room_imports_only_those_below(room):
  files = list(files_of(room))
  assert files
  for path in files:
    assert inner_imports(path) <= MAY_IMPORT[room] | {room}, path


def test_every_inner_room_is_under_the_rule():
  found = {
    path.stem
    for path in ROOM.iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
  }
  assert found - {"__init__"} == set(MAY_IMPORT)


def test_only_submissions_know_the_data_sets_lists():
  for path in ROOM.rglob("*.py"):
    if path.parent.name != "submissions":
      assert not [n for n in imported(path) if n.startswith("tfds_")], path


def test_what_takes_long_to_load_is_loaded_when_it_is_needed():
  heavy = {"sklearn", "skimage", "pycocotools", "matplotlib"}
  code = (
    "import sys, chexjax.evaluation; "
    f"print(sorted({heavy!r} & set(sys.modules)))"
  )
  out = subprocess.run(
    [sys.executable, "-c", code],
    cwd=ROOM.parents[1], capture_output=True, text=True, check=True,
  ).stdout  # fmt: skip
  assert out.strip() == "[]"
