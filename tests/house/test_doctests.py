"""The examples in docstrings and on pages give what is printed below them."""

import doctest
import importlib
import pathlib

import pytest

DOCS = pathlib.Path(__file__).parents[2] / "docs"
MODULES = (
  "ops.boxes", "ops.crop_and_resize", "ops.gumbel", "ops.heatmaps",
  "ops.losses", "ops.pooling", "ops.proposals", "ops.roi_align",
  "evaluation.api", "evaluation.measures.components",
)  # fmt: skip
PAGES = ("start_functions.md",)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name):
  module = importlib.import_module(f"chexjax.{name}")
  result = doctest.testmod(module)
  assert result.attempted > 0
  assert result.failed == 0


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_a_page(name):
  result = doctest.testfile(str(DOCS / name), module_relative=False)
  assert result.attempted > 0
  assert result.failed == 0


def test_every_module_with_examples_is_tested():
  package = DOCS.parent / "chexjax"
  found = {
    path.relative_to(package).with_suffix("").as_posix().replace("/", ".")
    for path in package.rglob("*.py")
    if ">>> " in path.read_text()
  }
  assert found == set(MODULES)
