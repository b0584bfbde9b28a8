"""The columns that our tables have, and what others call them."""

import difflib
from collections.abc import Collection, Iterable

# Column of ours -> what published tables and annotation tools call it, in lower
# case without spaces, dashes and underscores.
_OTHER_NAMES = {
  "file": (
    "filename filepath filenames files image images img imageid imageids "
    "imageindex imagename imagepath imagefile path paths dicomid uid"
  ),
  "findings": (
    "findinglabels findinglabel label labels class classes classname "
    "classnames diagnosis diagnoses pathology pathologies target category"
  ),
  "finding": (
    "findings findinglabel label class classname category classes labels "
    "pathology"
  ),
  "patient": "patientid patients patientids subject subjectid person personid",
  "split": "splits subset partition traintest trainvaltest",
}
_MEANT = {
  column: frozenset(names.split()) for column, names in _OTHER_NAMES.items()
}
# A word with one slip, such as `findigns`, but not another short word.
_ALIKE = 0.8


def plain(name: str) -> str:
  """Return a name in lower case, without spaces, dashes and underscores."""
  return "".join(c for c in name.casefold() if c.isalnum())


def meant(name: str, ours: Iterable[str], *, slips: bool = True) -> str:
  """Return which column of ours a header's name means, or an empty text.

  Args:
    name: of another column.
    ours: names of the table's own columns.
    slips: whether a misspelled name counts too.
  """
  text = plain(name)
  ours = list(ours)
  for column in ours:
    if text == plain(column) or text in _MEANT.get(column, ()):
      return column
  long = [column for column in ours if len(column) > 3] if slips else []
  return (difflib.get_close_matches(text, long, 1, _ALIKE) or [""])[0]


def column_faults(
  header: Collection[str],
  required: Collection[str],
  *,
  optional: Collection[str] = (),
  slips: bool = True,
) -> list[str]:
  """Return what is wrong with a header: lost, misspelled or doubled columns.

  Args:
    header: names of all columns.
    required: must be there.
    optional: are read if they are there.
    slips: see `meant`.
  """
  header = list(header)
  ours = [*required, *optional]
  faults = []
  missing = [name for name in required if name not in header]
  hints = []
  for name in header:
    column = "" if name in ours else meant(name, ours, slips=slips)
    if column in missing:
      hints.append(f"{column} instead of {name!r}")
    elif column and column not in header:
      faults.append(
        f"column {name!r} is not read; did you mean {column}? Rename it"
      )
  if missing:
    hint = f" (did you mean {', '.join(hints)}?)" if hints else ""
    faults.append(
      f"the header lacks {', '.join(missing)}{hint}; it is {header}"
    )
  twice = sorted({name for name in header if header.count(name) > 1})
  if twice:
    faults.append(f"columns that are there twice: {twice}")
  return faults
