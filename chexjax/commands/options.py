"""Command lines, parsed from the typed options of a command."""

import sys
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro

Options = TypeVar("Options")


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

  Raises:
    SystemExit: the options are at fault (status 2), or `--help` was answered.
  """
  given: dict[str, Any] = {} if default is None else {"default": default}
  return tyro.cli(
    kind,
    prog=prog,
    description=description,
    args=sys.argv[1:] if argv is None else list(argv),
    **given,
    config=() if switches else (tyro.conf.FlagConversionOff,),
    use_underscores=True,
  )
