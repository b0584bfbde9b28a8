"""The public functions hold to the conventions of docs and design."""

import inspect
import re

import jax
import pytest

from chexjax import models, ops

OPS = {
  **{n: getattr(ops, n) for n in ops.__all__ if callable(getattr(ops, n))},
  **{
    f"boxes.{n}": f
    for n, f in vars(ops.boxes).items()
    if inspect.isfunction(f)
    and f.__module__ == ops.boxes.__name__
    and not n.startswith("_")
  },
}


def section(doc, name):
  """Return what a docstring holds under a heading, or an empty text."""
  found = re.search(rf"^{name}:\n((?:  .*\n?|\n)*)", doc, re.M)
  return found.group(1) if found else ""


@pytest.mark.parametrize("name", OPS)
def test_an_op_is_documented_and_typed(name):
  op = OPS[name]
  doc = inspect.getdoc(op)
  assert doc
  assert doc.splitlines()[0].endswith(".")
  assert "Returns" in doc
  signature = inspect.signature(op)
  for parameter in signature.parameters.values():
    assert parameter.annotation is not inspect.Parameter.empty
  assert signature.return_annotation is not inspect.Signature.empty
  if signature.parameters:
    assert "Args:" in doc
    described = doc[doc.index("Args:") :]
    for parameter in signature.parameters:
      assert f"{parameter}:" in described


@pytest.mark.parametrize("name", OPS)
def test_an_op_begins_with_the_imperative(name):
  first = inspect.getdoc(OPS[name]).split()[0]
  assert first.isalpha()
  assert first.istitle()
  # "Return", not "Returns".
  assert not re.search(r"(?<!s)s$|ing$", first)


@pytest.mark.parametrize("name", OPS)
def test_an_op_tells_shapes_and_errors(name):
  op = OPS[name]
  doc = inspect.getdoc(op)
  assert "ValueError: " in section(doc, "Raises")
  assert section(doc, "Returns")
  entries = re.split(r"^  (?=\S)", section(doc, "Args"), flags=re.M)
  described = dict(entry.split(":", 1) for entry in entries if entry)
  for parameter in inspect.signature(op).parameters.values():
    if parameter.annotation is jax.Array and parameter.name != "key":
      text = described[parameter.name]
      assert re.search(r"`\[.*\]`|scalar|shape", text), parameter.name


def test_the_checks_of_the_ops_are_no_part_of_the_surface():
  assert not [name for name in ops.__all__ if name.startswith("check")]


@pytest.mark.parametrize("name", OPS)
def test_key_then_arrays_then_options_by_name(name):
  parameters = list(inspect.signature(OPS[name]).parameters.values())
  names = [p.name for p in parameters]
  assert "key" not in names[1:]
  for parameter in parameters:
    if parameter.default is not inspect.Parameter.empty:
      # Only the second side of a square may be left out by position.
      by_name = parameter.kind is inspect.Parameter.KEYWORD_ONLY
      assert by_name or parameter.name == "width"


@pytest.mark.parametrize("name", models.__all__)
def test_a_model_says_what_it_is(name):
  assert inspect.getdoc(getattr(models, name))
