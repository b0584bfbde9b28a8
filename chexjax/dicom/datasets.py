"""A DICOM file as a data set of pydicom, with every fault as a sentence."""

import os
import zlib
from typing import Any, BinaryIO

from chexjax.dicom.faults import FilmFault
from chexjax.dicom.quiet import quiet
from chexjax.dicom.recognition import HEAD, has_preamble, may_be_dataset
from chexjax.extras import require

_LARGEST = 1 << 28  # bytes that a deflated data set may have
_DEFLATED = b"1.2.840.10008.1.2.1.99"
# Value representations whose length has four bytes.
_LONG = (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN")


def open_dataset(path: str | os.PathLike[str], *, pixels: bool = False) -> Any:
  """Read a DICOM file.

  Args:
    path: of the file; its name does not matter.
    pixels: whether to read its pixels too; none is decoded.

  Returns:
    A `pydicom.FileDataset`.

  Raises:
    ImportError: pydicom is absent; names the extra.
    OSError: the file cannot be read.
    ValueError: it is no DICOM file, or damaged; names it.
  """
  with open(path, "rb") as file:
    try:
      return read_open(file, pixels=pixels)
    except ValueError as error:
      raise ValueError(f"{path}: {error}") from error


def read_open(file: BinaryIO, *, pixels: bool = False) -> Any:
  """Read an open DICOM file; without pixels it is left before them.

  Args:
    file: placed at its start.
    pixels: whether to read its pixels too.

  Returns:
    A `pydicom.FileDataset`.

  Raises:
    ImportError: pydicom is absent; names the extra.
    ValueError: it is no DICOM file, or damaged.
  """
  require("dicom", "pydicom", "gdcm")
  import pydicom

  start = file.read(HEAD)
  file.seek(0)
  sure = has_preamble(start)
  if not sure and not may_be_dataset(start):
    raise FilmFault("is no DICOM file")
  with quiet():
    try:
      if sure:
        _check_deflated(file)
      dataset = pydicom.dcmread(
        file, force=not sure, stop_before_pixels=not pixels
      )
      told = "SOPClassUID" in dataset and "Rows" in dataset
    except _TooLarge:
      raise
    # What pydicom says may quote the header, and with it a patient's name.
    except Exception as error:
      raise FilmFault(
        f"has a damaged DICOM header ({type(error).__name__}); copy the file "
        "again"
      ) from error
  if not sure and not told:
    raise FilmFault("is no DICOM file: no preamble, no SOP Class UID and Rows")
  return dataset


class _TooLarge(FilmFault):
  """A deflated data set that would fill the memory."""


def _check_deflated(file: BinaryIO) -> None:
  """See that a deflated data set is not too large; pydicom inflates it all."""
  syntax = _syntax_in_meta(file)
  if syntax == _DEFLATED:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(file.read(), _LARGEST)
    if inflater.unconsumed_tail:
      raise _TooLarge(
        f"inflates to more than {_LARGEST >> 20} MiB; not decoded"
      )
  file.seek(0)


def _syntax_in_meta(file: BinaryIO) -> bytes:
  """Return the transfer syntax of the file's meta group, and step behind it."""
  file.seek(HEAD)
  syntax = b""
  while len(start := file.read(8)) == 8 and start[:2] == b"\x02\x00":
    length = int.from_bytes(start[6:], "little")
    if start[4:6] in _LONG:
      length = int.from_bytes(file.read(4), "little")
    value = file.read(length)
    if start[2:4] == b"\x10\x00":
      syntax = value.rstrip(b"\0 ")
  file.seek(-len(start), os.SEEK_CUR)
  return syntax
