"""Settings of the docs site: `python -m sphinx -W -b html docs build/docs`."""

import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[1]
# The options page and the notebook use the recipes, which no wheel holds.
sys.path.insert(0, str(REPO))

import chexjax  # noqa: E402

project = "chexjax"
author = "The chexjax contributors"
copyright = "2026, the chexjax contributors; Apache-2.0"
version = release = chexjax.__version__
language = "en"

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
nb_execution_raise_on_error = True
nb_merge_streams = True


def _skip_field(
  _: Any, __: str, ___: str, value: Any, *____: Any
) -> bool | None:
  """Leave out the fields of named tuples, which "Attributes" describes."""
  return True if type(value).__name__ == "_tuplegetter" else None


def setup(app: Any) -> None:
  """Connect the hooks of this file."""
  app.connect("autodoc-skip-member", _skip_field)
