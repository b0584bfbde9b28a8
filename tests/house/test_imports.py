"""Who may import whom, and what `import chexjax` pulls in."""

import ast
import pathlib
import subprocess
import sys

import pytest

REPO = pathlib.Path(__file__).parents[2]
MAY_IMPORT = {
  "chexjax.types": set(),
  "chexjax.ops": {"types"},
  "chexjax.models": {"types", "ops"},
  "chexjax.training": {"types", "ops", "models"},
  "chexjax.weights": {"types", "ops", "models"},
  "chexjax.data": {"types", "ops"},
  "chexjax.evaluation": {"types", "ops"},
  "chexjax.report": {"types", "ops", "evaluation"},
  "tfds_chestxray14": set(),
}


def imported(path):
  """Yields the dotted names that a file imports, wherever in it."""
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f"{path}: relative import"
      yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of(room):
  path = REPO / room.replace(".", "/")
  return path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room):
  own = room.rpartition(".")[2]
  strangers = []
  for path in files_of(room):
    for name in imported(path):
      parts = name.split(".")
      if parts[0] == "experiments":
        strangers.append((path.name, name))
      if parts[0] == "tfds_chestxray14" and room not in (
        "tfds_chestxray14",
        "chexjax.data",
      ):
        strangers.append((path.name, name))
      if parts[0] != "chexjax" or len(parts) < 2:
        continue
      if parts[1] not in MAY_IMPORT[room] | {own}:
        strangers.append((path.name, name))
  assert not strangers


def test_every_room_is_under_the_rule():
  found = {
    path.stem
    for path in (REPO / "chexjax").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
  }
  assert {f"chexjax.{name}" for name in found - {"__init__"}} <= set(MAY_IMPORT)


def test_ops_know_no_flax():
  names = {n for path in files_of("chexjax.ops") for n in imported(path)}
  assert not [n for n in names if n.split(".")[0] == "flax"]


@pytest.mark.parametrize(
  ("modules", "heavy"),
  [
    ("chexjax", {"grain", "orbax", "sklearn", "tensorflow_datasets"}),
    # What is needed later in a run is loaded later.
    ("experiments.initial, experiments.stages", {"skimage", "sklearn"}),
  ],
)
def test_imports_are_light(modules, heavy):
  heavy |= {"matplotlib", "tensorflow", "torch"}
  code = f"import sys, {modules}; print(sorted({heavy!r} & set(sys.modules)))"
  out = subprocess.run(
    [sys.executable, "-c", code],
    cwd=REPO, capture_output=True, text=True, check=True,
  ).stdout  # fmt: skip
  assert out.strip() == "[]"
