"""Which files are DICOM, by their first bytes; pydicom is not needed."""

import os
import stat

HEAD = 132  # bytes that tell
_PREFIX = b"DICM"
_PREAMBLE = 128
# The groups that a data set without a preamble can begin with.
_GROUPS = (0x0002, 0x0008)
_VRS = frozenset(
  b"AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US "
  b"UT UC UR".split()
)
_LONGEST_FIRST = 256  # bytes; the first element is a length or a short text


def has_preamble(start: bytes) -> bool:
  """Return whether a file begins with DICOM's preamble and prefix.

  Args:
    start: its first `HEAD` bytes.
  """
  return start[_PREAMBLE:HEAD] == _PREFIX


def may_be_dataset(start: bytes) -> bool:
  """Return whether a file may be a data set without a preamble.

  Its first element is of group 0002 or 0008, explicit or implicit, in either
  order of bytes. Whether it is one shows when it is read; see `open_dataset`.

  Args:
    start: its first `HEAD` bytes.
  """
  if len(start) < 8:
    return False
  explicit = start[4:6] in _VRS
  if int.from_bytes(start[:2], "big") in _GROUPS:
    return explicit
  if int.from_bytes(start[:2], "little") not in _GROUPS:
    return False
  return explicit or int.from_bytes(start[4:8], "little") <= _LONGEST_FIRST


def begins_dicom(start: bytes) -> bool:
  """Return whether a file begins as DICOM does, with or without a preamble.

  Args:
    start: its first `HEAD` bytes.
  """
  return has_preamble(start) or may_be_dataset(start)


def is_dicom(path: str | os.PathLike[str]) -> bool:
  """Return whether a file begins as DICOM does, with or without a preamble.

  Args:
    path: any file; what is no regular file is none, and nothing is raised.
  """
  try:
    # To open a pipe would wait for ever.
    if not stat.S_ISREG(os.stat(path).st_mode):
      return False
    with open(path, "rb") as file:
      start = file.read(HEAD)
  except OSError:
    return False
  return begins_dicom(start)
