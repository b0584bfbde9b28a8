"""Tables of all options, from the typed records that they are parsed into.

`python docs/option_tables.py` prints what the site's page on options holds.
"""

import ast
import dataclasses
import importlib
import inspect
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

# The recipes are in no wheel.
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from chexjax.__main__ import COMMANDS
from chexjax.training.config import Config
from experiments.configs import CONFIGS

BASE = "phantom"


def texts_of(kind: type) -> dict[str, str]:
  """Return the text of every field of a dataclass: below it, or "Attributes".

  Args:
    kind: a dataclass whose source can be read.
  """
  (cls,) = ast.parse(inspect.getsource(kind)).body
  assert isinstance(cls, ast.ClassDef)
  found, name = {}, None
  for node in cls.body:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
      name = node.target.id
    elif (
      name
      and isinstance(node, ast.Expr)
      and isinstance(node.value, ast.Constant)
    ):
      found[name] = " ".join(str(node.value.value).split())
  _, _, listed = (inspect.getdoc(kind) or "").partition("Attributes:\n")
  for line in listed.splitlines():
    if line.startswith("  ") and not line.startswith("   "):
      name, _, text = line.strip().partition(": ")
      found[name] = text
    elif line.strip() and name:
      found[name] += f" {line.strip()}"
  return found


def rows_of(
  kind: type, values: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
  """Yield option, defaults and text for every field, groups spread out.

  Args:
    kind: a dataclass.
    values: recipe -> its instance of `kind`; empty where there is none.
    prefix: of the options' names.
  """
  texts = texts_of(kind)
  for field in dataclasses.fields(kind):
    name = f"{prefix}{field.name}"
    named = {n: getattr(value, field.name) for n, value in values.items()}
    first = named.get(BASE, field.default)
    if dataclasses.is_dataclass(first):
      yield from rows_of(type(first), named, f"{name}.")
      continue
    if "Positional" in str(field.type):
      name = name.upper()
    yield name, defaults(named or {BASE: first}), texts[field.name]


def defaults(named: dict[str, Any]) -> str:
  """Return the base recipe's value, and those of recipes that differ.

  Args:
    named: recipe -> value.
  """
  others: dict[str, list[str]] = {}
  for name, value in named.items():
    if value != named[BASE]:
      others.setdefault(shown(value), []).append(name)
  cells = [shown(named[BASE])]
  cells += [f"{', '.join(names)}: {text}" for text, names in others.items()]
  return "; ".join(cell for cell in cells if cell)


def shown(value: Any) -> str:
  """Return a default as a cell of the table; empty where one must be given."""
  if value is dataclasses.MISSING:
    return "must be given"
  if value is None or value == ():
    return "none"
  if isinstance(value, pathlib.Path) and value.is_absolute():
    return "the cache"  # It differs from machine to machine.
  if isinstance(value, tuple):
    return "`" + " ".join(map(str, value)) + "`"
  return f"`{value}`"


def table(kind: type, values: dict[str, Any]) -> str:
  """Return the Markdown table of a record.

  Args:
    kind: a dataclass.
    values: recipe -> its instance of `kind`; empty where there is none.
  """
  lines = ["| option | default | what |", "| --- | --- | --- |"]
  for name, default, text in rows_of(kind, values):
    option = name if name.isupper() else f"--{name}"
    lines.append(f"| `{option}` | {default} | {text} |".replace("*", "\\*"))
  return "\n".join(lines)


def page() -> str:
  """Return all tables as Markdown, a heading each."""
  parts = [
    "## `python -m experiments.run`\n",
    f"Defaults of the recipe `{BASE}`, and of the others where they differ.\n",
    table(Config, CONFIGS),
  ]
  for name, text in COMMANDS.items():
    options = importlib.import_module(f"chexjax.commands.{name}").Options
    parts.append(f"\n## `chexjax {name}`\n\n{text.capitalize()}.\n")
    parts.append(table(options, {}))
  return "\n".join(parts) + "\n"


if __name__ == "__main__":
  print(page())
