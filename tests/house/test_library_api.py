"""Public functions and classes of the rooms hold to one style.

The sources are parsed, not imported, so that the test needs no extra.
"""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parents[2] / "chexjax"
# `ops` and `models` have stricter rules in test_api.py.
ROOMS = (
  "data", "export", "inference", "report", "runtime", "training", "weights",
)  # fmt: skip
# The only parts that write to standard output.
MAY_PRINT = ("__main__.py", "commands/", "data/phantom/worker.py")
# Defaults that may be given by position, because the order is obvious.
BY_POSITION = {
  "Run": {"stopping"},
  "at_first_call": {"make"},
  "classification_entries": {"prefix"},
  "draw_example": {"seed", "index"},
  "handled": {"numbers"},
  "join": {"num_processes", "process_id"},
  "kept": {"args"},
  "load_densenet": {"block_sizes"},
  "load_model": {"preset"},
  "load_resnet": {"stage_sizes"},
  "make_mesh": {"devices"},
  "matmul_rate": {"size"},
  "patch": {"angle", "reach"},
  "phantom": {"size", "seed"},
  "sample_size": {"spread"},
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_public(node):
  return not node.name.startswith("_")


def parse_rooms():
  """Yield every public class, and every public function or method."""
  paths = [PACKAGE / "types.py"]
  for room in ROOMS:
    paths += sorted((PACKAGE / room).rglob("*.py"))
  for path in paths:
    where = path.relative_to(PACKAGE).with_suffix("").as_posix()
    for node in ast.parse(path.read_text()).body:
      if not isinstance(node, ast.ClassDef | Function) or not is_public(node):
        continue
      yield f"{where}.{node.name}", node.name, node
      if isinstance(node, ast.ClassDef):
        for method in node.body:
          if isinstance(method, Function) and (
            is_public(method) or method.name == "__init__"
          ):
            name = node.name if method.name == "__init__" else method.name
            yield f"{where}.{node.name}.{method.name}", name, method


FOUND = {where: (name, node) for where, name, node in parse_rooms()}
FUNCTIONS = {w: f for w, f in FOUND.items() if isinstance(f[1], Function)}
CLASSES = {w: c for w, c in FOUND.items() if isinstance(c[1], ast.ClassDef)}


def is_property(node):
  return any(isinstance(d, ast.Name) and d.id == "property"
             for d in node.decorator_list)  # fmt: skip


def parameters_of(node):
  """Return all parameters, without the one for the object itself."""
  given = node.args
  found = [*given.posonlyargs, *given.args, *given.kwonlyargs]
  found += [p for p in (given.vararg, given.kwarg) if p is not None]
  return [p for p in found if p.arg not in ("self", "cls")]


def section_of(doc, name):
  """Return the lines of a docstring under a heading, or an empty text."""
  found = re.search(rf"^{name}:\n((?:  .*\n?|\n)*)", doc, re.M)
  return found.group(1) if found else ""


@pytest.mark.parametrize("where", FOUND)
def test_the_docstring_begins_with_a_sentence(where):
  doc = ast.get_docstring(FOUND[where][1])
  assert doc, "no docstring"
  assert doc.splitlines()[0].endswith("."), "the first line is no sentence"


@pytest.mark.parametrize("where", FUNCTIONS)
def test_a_function_begins_with_the_imperative(where):
  node = FUNCTIONS[where][1]
  if is_property(node):
    return
  first = ast.get_docstring(node).split()[0]
  assert first.isalpha()
  assert first.istitle()
  assert first not in ("Is", "Has", "The", "A", "An")
  # "Return", not "Returns" or "Returning"; "Compress" is an imperative.
  assert not re.search(r"(?<!s)s$|ing$", first), first


@pytest.mark.parametrize("where", FUNCTIONS)
def test_a_function_is_typed(where):
  node = FUNCTIONS[where][1]
  untyped = [p.arg for p in parameters_of(node) if p.annotation is None]
  assert not untyped
  assert node.returns is not None or node.name == "__init__"


@pytest.mark.parametrize("where", FUNCTIONS)
def test_parameters_are_described(where):
  """One parameter may be clear from the sentence; several need a list.

  The painters of the phantom share theirs, which `findings.paint` describes.
  """
  node = FUNCTIONS[where][1]
  parameters = parameters_of(node)
  if node.name.startswith(("paint_", "__exit__")) or len(parameters) < 2:
    return
  described = section_of(ast.get_docstring(node), "Args")
  missing = [
    p.arg
    for p in parameters
    if not re.search(rf"^  \*{{0,2}}{p.arg}: \S", described, re.M)
  ]
  assert not missing


@pytest.mark.parametrize("where", FUNCTIONS)
def test_described_parameters_exist(where):
  node = FUNCTIONS[where][1]
  described = section_of(ast.get_docstring(node), "Args")
  names = re.findall(r"^  \*{0,2}(\w+):", described, re.M)
  assert set(names) <= {p.arg for p in parameters_of(node)}


@pytest.mark.parametrize("where", FUNCTIONS)
def test_options_are_given_by_name(where):
  name, node = FUNCTIONS[where]
  given = node.args
  placed = [*given.posonlyargs, *given.args]
  options = {p.arg for p in placed[len(placed) - len(given.defaults) :]}
  assert options <= BY_POSITION.get(name, set())


@pytest.mark.parametrize("where", CLASSES)
def test_a_class_describes_its_fields(where):
  """A tuple or dataclass lists its fields, or has a text below each."""
  node = CLASSES[where][1]
  if where.startswith("training/config"):
    texts = [n for n in node.body if isinstance(n, ast.Expr)]
    options = [n for n in node.body if isinstance(n, ast.AnnAssign)]
    missing = len(options) - (len(texts) - 1)
    # The groups of options describe themselves.
    assert missing == (5 if node.name == "Config" else 0)
    return
  fields = {
    n.target.id for n in node.body
    if isinstance(n, ast.AnnAssign) and not n.target.id.startswith("_")
  }  # fmt: skip
  described = section_of(ast.get_docstring(node), "Attributes")
  assert fields <= set(re.findall(r"^  (\w+):", described, re.M))


def test_the_library_prints_nothing():
  printing = []
  for path in sorted(PACKAGE.rglob("*.py")):
    where = path.relative_to(PACKAGE).as_posix()
    if where.startswith(MAY_PRINT):
      continue
    for node in ast.walk(ast.parse(path.read_text())):
      if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
      ):
        printing.append(f"{where}:{node.lineno}")
  assert not printing


def test_data_is_light_until_a_name_is_used():
  code = (
    "import sys, chexjax.data as data\n"
    "heavy = {'grain', 'tensorflow_datasets'} & set(sys.modules)\n"
    "names = [getattr(data, name) for name in data.__all__]\n"
    "print(sorted(heavy), set(data.__all__) <= set(dir(data)))"
  )
  out = subprocess.run(
    [sys.executable, "-c", code],
    cwd=PACKAGE.parent, capture_output=True, text=True, check=True,
  ).stdout  # fmt: skip
  assert out.strip() == "[] True"


def test_inference_has_a_short_surface():
  from chexjax import inference

  assert inference.__all__ == ["Predictions", "Predictor", "load"]
