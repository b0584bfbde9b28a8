"""Values of a data set that may be absent, empty or no numbers at all."""

import math
from typing import Any

from chexjax.dicom.faults import FilmFault

# What pydicom raises when it converts a damaged value; a MemoryError and the
# like are none of these.
_DAMAGED = (
  ArithmeticError,
  AttributeError,
  LookupError,
  NotImplementedError,
  OSError,
  TypeError,
  ValueError,
)


def value_of(dataset: Any, keyword: str) -> Any:
  """Return an attribute's value, None if it is absent, empty or damaged.

  Args:
    dataset: a pydicom data set.
    keyword: of the attribute, such as `WindowCenter`.
  """
  try:
    value = dataset.get(keyword)
    return None if value is None or not str(value) else value
  except _DAMAGED:
    return None


def text_of(dataset: Any, keyword: str) -> str:
  """Return an attribute's text in upper case, empty if there is none.

  Args:
    dataset: a pydicom data set.
    keyword: of the attribute.
  """
  value = value_of(dataset, keyword)
  return "" if value is None else str(value).strip().upper()


def numbers_of(dataset: Any, keyword: str) -> list[float]:
  """Return an attribute's numbers; none if one of them is not finite.

  Args:
    dataset: a pydicom data set.
    keyword: of the attribute.
  """
  value = value_of(dataset, keyword)
  if value is None:
    return []
  several = isinstance(value, list | tuple) or hasattr(value, "__iter__")
  try:
    found = [float(v) for v in (value if several else [value])]
  except _DAMAGED:
    return []
  return found if all(map(math.isfinite, found)) else []


def integer_of(dataset: Any, keyword: str, default: int | None = None) -> int:
  """Return an attribute's first number as an integer.

  Args:
    dataset: a pydicom data set.
    keyword: of the attribute.
    default: in the place of a number that is absent.

  Raises:
    ValueError: it is absent and there is no default.
  """
  found = numbers_of(dataset, keyword)
  if found:
    return int(found[0])
  if default is None:
    raise FilmFault(f"its DICOM header has no {keyword}, or a damaged one")
  return default


def items_of(dataset: Any, keyword: str) -> list[Any]:
  """Return the items of a sequence, none if it is absent or damaged.

  Args:
    dataset: a pydicom data set.
    keyword: of the sequence.
  """
  try:
    return list(dataset.get(keyword) or ())
  except _DAMAGED:
    return []
