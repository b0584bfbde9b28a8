"""Who may import whom, and what `import chexjax` pulls in."""

import ast
import pathlib
import subprocess
import sys

import pytest

REPO = pathlib.Path(__file__).parents[2]
# What everybody may use, and what each room may beside it; the arrows of
# docs/architecture.md.
BASE = {"types", "io", "messages", "progress"}
MAY_IMPORT = {
  "types": set(),
  "io": set(),
  "messages": set(),
  "progress": {"messages"},
  "extras": set(),
  "runtime": set(),
  "ops": set(),
  "models": {"ops"},
  "systems": {"ops", "models"},
  "weights": {"ops", "models", "systems", "runtime"},
  "dicom": set(),
  "data": {"ops", "dicom"},
  "evaluation": {"ops"},
  "report": {"ops", "data", "evaluation"},
  "inference": {
    "ops", "models", "systems", "weights", "dicom", "data", "evaluation",
    "report",
    "runtime",
  },
  "serving": {"data", "inference"},
  "export": {
    "ops", "models", "systems", "weights", "data", "evaluation", "report",
    "runtime", "inference",
  },
  "training": {
    "ops", "models", "systems", "weights", "data", "evaluation", "report",
    "runtime", "inference",
  },
}  # fmt: skip
# The rooms that read the lists of ChestX-ray14.
KNOW_THE_DATASET = ("data", "evaluation", "commands")


def imported(path):
  """Yields the dotted names that a file imports, wherever in it."""
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f"{path}: relative import"
      yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of(name):
  """Lists the files of a room, or the one file of that name."""
  path = REPO / name
  return path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_is_below_it(room):
  may = MAY_IMPORT[room] | {room}
  may |= BASE | {"extras"} if room not in (*BASE, "extras") else set()
  strangers = []
  for path in files_of(f"chexjax/{room}"):
    for name in imported(path):
      top, _, rest = name.partition(".")
      if top == "chexjax" and rest.partition(".")[0] not in may:
        strangers.append((path.name, name))
  assert not strangers


@pytest.mark.parametrize("package", ["chexjax", "tfds_chestxray14"])
def test_the_library_knows_nothing_of_its_users(package):
  strangers = []
  for path in files_of(package):
    room = path.relative_to(REPO / package).parts[0]
    for name in imported(path):
      top = name.partition(".")[0]
      dataset = top == "tfds_chestxray14" and package == "chexjax"
      if (
        top == "experiments"
        or (dataset and room not in KNOW_THE_DATASET)
        or (top == "chexjax" and package != "chexjax")
      ):
        strangers.append((path.name, name))
  assert not strangers


def test_every_room_is_under_the_rule():
  found = {
    path.stem
    for path in (REPO / "chexjax").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
  }
  # The commands use whatever they need.
  assert found - {"__init__", "__main__", "commands"} == set(MAY_IMPORT)


def test_ops_know_no_flax():
  names = {n for path in files_of("chexjax/ops") for n in imported(path)}
  assert not [n for n in names if n.split(".")[0] == "flax"]


@pytest.mark.parametrize(
  ("modules", "heavy"),
  [
    ("chexjax", {"grain", "orbax", "sklearn", "tensorflow_datasets"}),
    # What is needed later in a run is loaded later.
    (
      "chexjax.training.initial_weights, chexjax.training.stages",
      {"skimage", "sklearn"},
    ),
  ],
)
def test_imports_are_light(modules, heavy):
  heavy |= {"matplotlib", "pydicom", "tensorflow", "torch"}
  code = f"import sys, {modules}; print(sorted({heavy!r} & set(sys.modules)))"
  out = subprocess.run(
    [sys.executable, "-c", code],
    cwd=REPO, capture_output=True, text=True, check=True,
  ).stdout  # fmt: skip
  assert out.strip() == "[]"
