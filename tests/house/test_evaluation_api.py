"""The public functions of `chexjax.evaluation` hold to the conventions."""

import ast
import inspect
import pathlib

import pytest

from chexjax import evaluation

ROOM = pathlib.Path(evaluation.__file__).parent
CLASSES = {
  name: getattr(evaluation, name)
  for name in evaluation.__all__
  if inspect.isclass(getattr(evaluation, name))
}
FUNCTIONS = {
  **{
    name: getattr(evaluation, name)
    for name in evaluation.__all__
    if inspect.isfunction(getattr(evaluation, name))
  },
  **{
    f"overlap.{name}": function
    for name, function in vars(evaluation.overlap).items()
    if inspect.isfunction(function) and not name.startswith("_")
  },
  **{
    f"{kind}.{name}": method
    for kind, cls in CLASSES.items()
    for name, method in vars(cls).items()
    if inspect.isfunction(method)
    and (not name.startswith("_") or name == "__init__")
    # Not what `dataclass` and `NamedTuple` write: fields are attributes.
    and method.__code__.co_filename.endswith(".py")
  },
}


def parameters_of(function):
  named = inspect.signature(function).parameters.values()
  return [p for p in named if p.name != "self"]


def section(doc, title):
  """Returns the lines under a title, up to the next one."""
  start = doc.index(f"{title}:\n")
  return doc[start + len(title) + 2 :].split("\n\n")[0]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_documented_and_typed(name):
  function = FUNCTIONS[name]
  doc = inspect.getdoc(function)
  assert doc
  assert doc.splitlines()[0].endswith(".")
  signature = inspect.signature(function)
  assert signature.return_annotation is not inspect.Signature.empty
  if signature.return_annotation is not None:
    assert "Returns:\n" in doc
  for parameter in parameters_of(function):
    assert parameter.annotation is not inspect.Parameter.empty
    assert f"  {parameter.name}: " in section(doc, "Args")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_come_first_and_options_by_name(name):
  for parameter in parameters_of(FUNCTIONS[name]):
    if parameter.default is not inspect.Parameter.empty:
      assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, parameter.name
    assert parameter.kind is not inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_describes_its_fields(name):
  cls = CLASSES[name]
  doc = inspect.getdoc(cls)
  assert doc
  assert doc.splitlines()[0].endswith(".")
  fields = getattr(cls, "_fields", ()) or getattr(
    cls, "__dataclass_fields__", ()
  )
  for field in fields:
    assert f"  {field}: " in section(doc, "Attributes")
    assert field in inspect.get_annotations(cls)


@pytest.mark.parametrize(
  "path",
  sorted(ROOM.rglob("*.py")),
  ids=lambda path: str(path.relative_to(ROOM)),
)
def test_private_functions_are_typed_too(path):
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.FunctionDef):
      given = node.args
      named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
      named += [a for a in (given.vararg, given.kwarg) if a is not None]
      untyped = [a.arg for a in named if a.annotation is None]
      assert set(untyped) <= {"self"}, node.name
      assert node.returns is not None, node.name


def test_no_file_is_long():
  for path in ROOM.rglob("*.py"):
    assert len(path.read_text().splitlines()) <= 300, path
