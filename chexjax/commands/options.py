"""Command lines, parsed from the typed options of a command."""

import dataclasses
import pathlib
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro

from chexjax.io import expand_home

Options = TypeVar("Options")
# How a line of an example begins.
_COMMANDS = ("chexjax ", "python -m ")


def parse(
  kind: type[Options],
  argv: Sequence[str] | None,
  *,
  prog: str,
  description: str | None = None,
  default: Options | None = None,
  switches: bool = True,
) -> Options:
  """Return the options of a command line, by the names of a dataclass's fields.

  Args:
    kind: a dataclass; the texts under its fields are the help.
    argv: the arguments; those of this process by default.
    prog: name of the command.
    description: what the help says first; the docstring of `kind` by default.
    default: values of the options that are not given, instead of the fields'.
    switches: whether `--option` sets a bool, and `--no_option` unsets it; else
      they are written `--option True`.

  Returns:
    The options; `~` in paths is expanded.

  Raises:
    SystemExit: the options are at fault (status 2), or `--help` was answered.
  """
  given: dict[str, Any] = {} if default is None else {"default": default}
  options = tyro.cli(
    kind,
    prog=prog,
    description=description and _with_examples(description),
    args=sys.argv[1:] if argv is None else list(argv),
    **given,
    config=() if switches else (tyro.conf.FlagConversionOff,),
    use_underscores=True,
  )
  try:
    return _expanded(options)
  except ValueError as error:
    print(f"error: {error}", file=sys.stderr)
    raise SystemExit(2) from error


def _with_examples(description: str) -> str:
  """Return the text with its command lines indented.

  The parser fills paragraphs, except lines that begin with a blank, and doubles
  an empty line before such a line.
  """
  lines: list[str] = []
  for line in description.splitlines():
    if not line.startswith(_COMMANDS):
      lines.append(line)
      continue
    if lines and not lines[-1]:
      lines.pop()
    lines.append(f"  {line}")
  return "\n".join(lines)


def _expanded(options: Options) -> Options:
  """Return the options with `~` expanded, which a shell leaves after `=`."""
  changed: dict[str, Any] = {}
  given: Any = options  # A dataclass, which a type variable cannot say.
  for field in dataclasses.fields(given):
    value = getattr(options, field.name)
    if value == field.default:
      continue  # It is expanded where it is used.
    if isinstance(value, pathlib.Path):
      changed[field.name] = expand_home(value)
    elif isinstance(value, tuple) and any(
      isinstance(part, pathlib.Path) for part in value
    ):
      changed[field.name] = tuple(map(expand_home, value))
  replaced: Options = dataclasses.replace(given, **changed)
  return replaced
