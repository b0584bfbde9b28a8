"""What a compressed frame says of itself, before it is decoded.

Markers of ISO/IEC 10918-1 (JPEG), 14495-1 (JPEG-LS) and 15444-1 (JPEG 2000).
"""

from typing import NamedTuple

_START = b"\xff\xd8"
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_J2K = b"\xff\x4f\xff\x51"
_BOX = b"\x00\x00\x00\x0cjP  "
_CODE_BOX = b"jp2c"


class Codestream(NamedTuple):
  """What a compressed frame declares.

  Attributes:
    width: in pixels.
    height: in pixels.
    precision: bits of a value.
    signed: whether values are; JPEG cannot say it.
  """

  width: int
  height: int
  precision: int
  signed: bool = False


def read_codestream(head: bytes) -> Codestream | None:
  """Read the declaration of a frame.

  Args:
    head: the first bytes of the frame, some ten thousand.

  Returns:
    The declaration; None if it is neither of these formats, or damaged.
  """
  if head.startswith(_BOX):
    place = head.find(_CODE_BOX)
    head = head[place + 4 :] if place >= 0 else b""
  if head.startswith(_J2K):
    return _jpeg_2000(head)
  return _jpeg(head) if head.startswith(_START) else None


def _jpeg_2000(head: bytes) -> Codestream | None:
  if len(head) < 43:
    return None
  right, bottom, left, top = (
    int.from_bytes(head[i : i + 4], "big") for i in (8, 12, 16, 20)
  )
  depth = head[42]
  return Codestream(
    right - left, bottom - top, (depth & 0x7F) + 1, bool(depth & 0x80)
  )


def _jpeg(head: bytes) -> Codestream | None:
  at = 2
  while at + 9 <= len(head):
    if head[at] != 0xFF:
      return None
    if head[at + 1] == 0xFF:  # A fill byte.
      at += 1
      continue
    length = int.from_bytes(head[at + 2 : at + 4], "big")
    if head[at + 1] in _FRAMES:
      height = int.from_bytes(head[at + 5 : at + 7], "big")
      width = int.from_bytes(head[at + 7 : at + 9], "big")
      return Codestream(width, height, head[at + 4])
    at += 2 + max(length, 2)
  return None
