"""What a cell of labels.csv says of a film's findings."""

import functools
import math
import re
from typing import Literal, NamedTuple, get_args

from chexjax.data.columns import plain
from chexjax.types import RESERVED

NO_FINDING = "No Finding"
Uncertain = Literal["ignore", "positive", "negative"]
UNCERTAIN: tuple[str, ...] = get_args(Uncertain)
_NONE = ("nofinding", "nofindings", "normal")
_NO_NAMES = (
  "nan", "none", "null", "na", "nil", "true", "false", "yes", "no", "unknown",
  "uncertain", "positive", "negative",
)  # fmt: skip
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_BRACKETS = "[({'\""
_SEPARATORS = {";": "';'", ",": "','", "\t": "a tab", "\n": "a line break"}


class Cell(NamedTuple):
  """The findings of a cell.

  Attributes:
    findings: names, each once.
    fault: what is wrong with the cell, or an empty text.
  """

  findings: tuple[str, ...]
  fault: str


def is_none(name: str) -> bool:
  """Return whether a name says that a film has no finding."""
  return not name or plain(name) in _NONE


def name_fault(name: str, *, column: bool = False) -> str:
  """Return why a text is no name of a finding, or an empty text.

  Args:
    name: that is not empty.
    column: whether it stands in the header, not in a cell.
  """
  for mark, said in {**_SEPARATORS, **({"|": "'|'"} if column else {})}.items():
    if mark in name:
      if column:
        return f"{name!r} holds {said}; give the finding a name without it"
      return f"{name!r} holds {said}; separate findings by '|'"
  if column and (_NUMBER.fullmatch(name) or name[0] in _BRACKETS):
    return (
      f"{name!r} is no finding's name; name the column after its finding, or "
      "take it out"
    )
  if name[0] in _BRACKETS:
    return (
      f"{name!r} is in brackets or quotes; write the names alone, separated by "
      "'|'"
    )
  if _NUMBER.fullmatch(name):
    return (
      f"{name!r} is a number, not a finding; for 0 and 1 write one column for "
      "each finding, named after it, and no column findings"
    )
  if not name.isprintable():
    return f"{name!r} holds a control character; write the name without it"
  if name in RESERVED:
    return (
      f"{name!r} is what results.json calls the figure over all findings; give "
      "the finding another name"
    )
  if plain(name) in _NO_NAMES or not plain(name):
    return (
      f"{name!r} is no finding; leave the cell empty, or write {NO_FINDING}, "
      "for a film without one"
    )
  return ""


@functools.lru_cache(maxsize=4096)
def parse_findings(text: str) -> Cell:
  """Read the findings of a cell, separated by `|`.

  Args:
    text: names; `No Finding`, `Normal` and an empty text are none.

  Returns:
    The findings, without what is at fault.
  """
  names = [name.strip() for name in text.split("|")]
  found = tuple(dict.fromkeys(name for name in names if not is_none(name)))
  faults = [fault for name in found if (fault := name_fault(name))]
  if faults:
    return Cell((), f"findings {text!r}: {faults[0]}")
  if found and any(name and is_none(name) for name in names):
    return Cell(found, f"findings {text!r} is both {NO_FINDING} and a finding")
  return Cell(found, "")


@functools.lru_cache(maxsize=4096)
def parse_label(text: str) -> float | None:
  """Read a cell of a finding's own column.

  Args:
    text: 1 for present, 0 for absent, -1 for uncertain, empty for not known.

  Returns:
    1, 0, -1, NaN where nothing is known, or None where the cell is at fault.
  """
  if not text:
    return math.nan
  try:
    value = float(text)
  except ValueError:
    return None
  # "nan" is how pandas writes an empty cell on request.
  return value if value in (1, 0, -1) or math.isnan(value) else None
