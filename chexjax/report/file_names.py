"""File names made from names that people chose."""

import re
from collections.abc import Iterable

# What some file system refuses or takes for a path; "Nodule/Mass" is a finding.
_REFUSED = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST = 150  # bytes; a name has 255, and the caller adds to it
# Devices on Windows, whatever their suffix.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)")


def file_stems(names: Iterable[str]) -> dict[str, str]:
  """Return a stem for each name that every file system takes.

  What cannot be in a file name becomes `_`. Distinct names have stems that
  differ in more than upper and lower case; a name that can stay as it is stays.

  Args:
    names: such as findings.

  Returns:
    Name -> stem, in the order of `names`.
  """
  names = list(dict.fromkeys(names))
  stems: dict[str, str] = {}
  taken = set[str]()
  # Sorted so that no changed name takes the stem of one that could stay.
  for name in sorted(names, key=lambda name: _safe(name) != name):
    whole = stem = _safe(name)
    number = 1
    while stem.casefold() in taken:
      number += 1
      stem = f"{whole}_{number}"
    taken.add(stem.casefold())
    stems[name] = stem
  return {name: stems[name] for name in names}


def _safe(name: str) -> str:
  """Return a name without what cannot be in a file name."""
  # Lone surrogates are no text; they become "?", which is refused too.
  name = _REFUSED.sub("_", name.encode("utf-8", "replace").decode())
  name = name.encode()[:_LONGEST].decode("utf-8", "ignore")
  # A leading dot hides a file; Windows drops dots and spaces at the end.
  name = re.sub(r"^\.|[. ]+$", "_", name)
  return f"{name}_" if not name or _DEVICES.fullmatch(name) else name
