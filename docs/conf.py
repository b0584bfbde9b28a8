"""Settings of the docs site: `python -m sphinx -W -b html docs build/docs`."""

import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[1]
# The notebook and the page of options use the recipes, which no wheel holds.
sys.path[:0] = [str(REPO), str(REPO / "docs")]

import option_tables  # noqa: E402

import chexjax  # noqa: E402

project = "chexjax"
author = "The chexjax contributors"
copyright = "2026, the chexjax contributors; Apache-2.0"
version = release = chexjax.__version__
language = "en"
# It would turn the dashes of options into longer ones.
smartquotes = False

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"chexjax {release}"
html_copy_source = False

myst_enable_extensions = ["colon_fence"]
# Headings of these depths can be linked to, as on GitHub.
myst_heading_anchors = 4

# The docstrings write code as Markdown does, between single backticks.
default_role = "literal"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True

nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True


def _skip_field(
  _: Any, __: str, ___: str, value: Any, *____: Any
) -> bool | None:
  """Leave out the fields of named tuples, which "Attributes" describes."""
  return True if type(value).__name__ == "_tuplegetter" else None


def _add_options(_: Any, page: str, source: list[str]) -> None:
  """Put the tables of options below the text of their page."""
  if page == "options":
    source[0] += f"\n{option_tables.page()}"


def setup(app: Any) -> None:
  """Connect the hooks of this file."""
  app.connect("autodoc-skip-member", _skip_field)
  app.connect("source-read", _add_options)
