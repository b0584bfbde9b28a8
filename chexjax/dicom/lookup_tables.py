"""Look-up tables of a header: Modality LUT and VOI LUT."""

from typing import Any, NamedTuple

import numpy as np

from chexjax.dicom.fields import numbers_of, value_of

_MOST = 65536  # entries


class LookupTable(NamedTuple):
  """A table of a header.

  Attributes:
    first: the input that the first entry is for.
    entries: `[N]` int64, for inputs from `first` on.
  """

  first: int
  entries: np.ndarray

  @property
  def top(self) -> int:
    """The highest output: a power of two less one that holds every entry.

    The header's own number of bits is not asked, because makers exist that
    write 16 for entries of 12 bits.
    """
    return (1 << int(self.entries.max()).bit_length()) - 1 or 1

  def __call__(self, values: np.ndarray) -> np.ndarray:
    """Return the outputs of inputs of any shape; ends are repeated."""
    place = np.rint(values).astype(np.int64) - self.first
    return self.entries[np.clip(place, 0, len(self.entries) - 1)]


def read_table(item: Any, *, signed: bool, little: bool) -> LookupTable | None:
  """Read a table from an item of its sequence.

  Args:
    item: has LUT Descriptor and LUT Data.
    signed: whether inputs may be negative; the first input is signed only
      then, whatever the file's value representation says.
    little: whether numbers have their lowest byte first.

  Returns:
    The table; None if it has no entry or no descriptor.
  """
  descriptor = numbers_of(item, "LUTDescriptor")
  data = value_of(item, "LUTData")
  if len(descriptor) != 3 or data is None:
    return None
  count = (int(descriptor[0]) & 0xFFFF) or _MOST
  first = int(descriptor[1]) & 0xFFFF
  if signed and first >= 0x8000:
    first -= 0x10000
  entries = _entries(data, count, little)[:count]
  return LookupTable(first, entries) if len(entries) else None


def _entries(data: Any, count: int, little: bool) -> np.ndarray:
  """Return entries from numbers or bytes; they are never negative."""
  if isinstance(data, bytes):
    # Entries of 8 bits may lie two in a word.
    kind = "u1" if len(data) < 2 * count else ("<u2" if little else ">u2")
    usable = len(data) // np.dtype(kind).itemsize * np.dtype(kind).itemsize
    return np.frombuffer(data[:usable], kind).astype(np.int64)
  return np.atleast_1d(np.asarray(data, np.int64)) & 0xFFFF
