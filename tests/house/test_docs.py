"""The pages of docs/ and the README: links, rooms, options, names of commands.

The site itself is built in the gate, where a warning is an error.
"""

import importlib
import json
import pathlib
import re
import sys

import pytest

from chexjax.__main__ import COMMANDS

REPO = pathlib.Path(__file__).parents[2]
DOCS = REPO / "docs"
PAGES = sorted(
  [
    REPO / "README.md",
    REPO / "CHANGELOG.md",
    REPO / "tfds_chestxray14" / "README.md",
    *DOCS.rglob("*.md"),
  ]
)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


def without_code(text):
  return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors_of(path):
  """Return the anchors of a page's headings, as GitHub and MyST make them."""
  found = re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.M)
  plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in found]
  return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize(
  "page", PAGES, ids=lambda page: str(page.relative_to(REPO))
)
def test_links_lead_somewhere(page):
  broken = []
  for link in LINK.findall(without_code(page.read_text())):
    if link.startswith(("http:", "https:", "mailto:")):
      continue
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists() or (anchor and anchor not in anchors_of(target)):
      broken.append(link)
  assert not broken


def test_links_are_seen():
  """The pattern finds what the test above is about."""
  assert len(LINK.findall((REPO / "README.md").read_text())) > 20
  assert "why-is-my-auc-5" in anchors_of(DOCS / "faq.md")


def test_every_room_has_a_page():
  text = "".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
  described = set(re.findall(r"automodule:: ([\w.]+)", text))
  rooms = {
    f"chexjax.{path.stem}"
    for path in (REPO / "chexjax").iterdir()
    if path.suffix == ".py" or (path / "__init__.py").exists()
  }
  # What they do is described on pages of their own.
  apart = {"chexjax.__init__", "chexjax.__main__", "chexjax.commands"}
  assert rooms - apart <= described


def test_commands_are_named_in_one_way():
  other = re.compile(rf"experiments\.({'|'.join(COMMANDS)})\b")
  # The changelog says what was once called so.
  pages = [page for page in PAGES if page.name != "CHANGELOG.md"]
  assert not [str(page) for page in pages if other.search(page.read_text())]


def test_every_option_has_a_row(monkeypatch):
  monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
  page = importlib.import_module("option_tables").page()
  assert "| `--stage1.epochs` | `7`; " in page
  assert "| `IMAGES` | must be given | PNG" in page
  for name in COMMANDS:
    assert f"\n## `chexjax {name}`\n" in page
  rows = [line for line in page.splitlines() if line.startswith("| `")]
  assert len(rows) > 150
  assert not [row for row in rows if row.count(" | ") < 2 or " |  |" in row]


def test_the_notebook_is_kept_without_outputs():
  for path in DOCS.rglob("*.ipynb"):
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert not [cell for cell in code if cell["outputs"]]
    assert not [cell for cell in code if cell["execution_count"]]
