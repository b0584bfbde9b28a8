"""Where a file's pixels lie, and whether all are there; none is decoded."""

import os
from typing import BinaryIO

from chexjax.dicom.faults import FilmFault

_UNDEFINED = 0xFFFFFFFF
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_HEAD = 1 << 16  # bytes of a frame that declare its size


def check_whole(
  file: BinaryIO, *, native_bytes: int, implicit: bool, little: bool
) -> bytes:
  """See that a file's pixels do not break off.

  Args:
    file: open, and placed before the element Pixel Data.
    native_bytes: that the pixels take where they are not compressed.
    implicit: whether the file leaves value representations out.
    little: whether numbers have their lowest byte first.

  Returns:
    The first bytes of the first frame if it is compressed, else nothing.

  Raises:
    ValueError: there are no pixels, or too few.
  """
  order = "little" if little else "big"
  size = os.fstat(file.fileno()).st_size
  start = file.read(8 if implicit else 12)
  if len(start) < 8:
    raise FilmFault("breaks off before its pixel data, or has none")
  group = int.from_bytes(start[:2], order)  # type: ignore[arg-type]
  element = int.from_bytes(start[2:4], order)  # type: ignore[arg-type]
  if (group, element) != (0x7FE0, 0x0010):
    raise FilmFault("has no integer pixel data; there is no film in it")
  length = int.from_bytes(start[-4:], order)  # type: ignore[arg-type]
  if length == _UNDEFINED:
    return _walk_fragments(file, size)
  there = min(length, size - file.tell())
  if there < native_bytes:
    raise FilmFault(
      f"breaks off in its pixel data: {there:,} of {native_bytes:,} bytes; "
      "copy the file again"
    )
  return b""


def _walk_fragments(file: BinaryIO, size: int) -> bytes:
  """Step over the fragments; return the first bytes of the first frame."""
  first, table = b"", True
  while True:
    start = file.read(8)
    if start[:4] == _END or (not start and first):
      break
    length = int.from_bytes(start[4:], "little")
    if len(start) < 8 or file.tell() + length > size:
      raise FilmFault("breaks off in its pixel data; copy the file again")
    if start[:4] != _ITEM or length == _UNDEFINED:
      raise FilmFault("has damaged pixel data: a fragment does not begin")
    after = file.tell() + length
    if not table and not first:
      first = file.read(min(length, _HEAD))
    table = False
    file.seek(after)
  if not first:
    raise FilmFault("has empty pixel data; there is no film in it")
  return first
