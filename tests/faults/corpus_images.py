"""Bad and odd image files, and what each must become."""

import io
import os
import struct
import zlib

import cv2
import numpy as np
from PIL import Image

OK, BAD, OTHER = "ok", "bad", "other"
SIDE = 64


def _grey(side=SIDE):
  # Steeper downwards, so that no turn and no mirror gives the same image.
  ramp = np.add.outer(2 * np.arange(side), np.arange(side)) * 255 // (3 * side)
  return Image.fromarray(ramp.astype(np.uint8))


def _bytes(image, kind="PNG", **options):
  buffer = io.BytesIO()
  image.save(buffer, kind, **options)
  return buffer.getvalue()


def _chunk(name, data):
  crc = zlib.crc32(name + data)
  return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def _claims(width, height, data=b"\0" * 64, depth=8, colour=0):
  """A PNG whose header claims a size; a bomb where the data is small."""
  header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
  return b"".join(
    [
      b"\x89PNG\r\n\x1a\n",
      _chunk(b"IHDR", header),
      _chunk(b"IDAT", zlib.compress(data)),
      _chunk(b"IEND", b""),
    ]
  )


def flipped(data, place):
  changed = bytearray(data)
  changed[place] ^= 0xFF
  return bytes(changed)


# First row and column, and steps, of Adam7's passes.
_PASSES = (
  (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
  (0, 1, 2, 2), (1, 0, 2, 1),
)  # fmt: skip


def _interlaced(values):
  """A grey 8-bit PNG in Adam7's order, which Pillow does not write."""
  height, width = values.shape
  parts = [values[top::down, left::right] for top, left, down, right in _PASSES]
  data = b"".join(b"\0" + row.tobytes() for part in parts for row in part)
  header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
  chunks = {b"IHDR": header, b"IDAT": zlib.compress(data), b"IEND": b""}
  return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*c) for c in chunks.items())


def _exif(orientation):
  exif = Image.Exif()
  exif[0x0112] = orientation
  return exif


def _good_images():
  grey = _grey()
  rgb = Image.merge("RGB", [grey] * 3)
  clear = Image.new("L", grey.size, 0)
  values = np.asarray(grey)
  yield "good.png", _bytes(grey)
  yield "grey with spaces in its name.png", _bytes(grey)
  yield "Röntgen-胸部-صدر.png", _bytes(grey)
  yield "<script>alert(1)<br>.png", _bytes(grey)
  yield "'; drop table & $(x) `y`.png", _bytes(grey)
  yield "new\nline.png", _bytes(grey)
  yield "UPPER.PNG", _bytes(grey)
  yield "two.dots.png", _bytes(grey)
  yield "-weights.png", _bytes(grey)
  yield "n" * 251 + ".png", _bytes(grey)
  yield os.fsdecode(b"not-utf8-\xff.png"), _bytes(grey)
  yield "16_bit.png", _bytes(Image.fromarray(values.astype(np.uint16) * 257))
  yield "12_in_16.png", _bytes(Image.fromarray(values.astype(np.uint16) * 16))
  yield "1_bit.png", _bytes(grey.convert("1"))
  yield "palette.png", _bytes(grey.convert("P"))
  yield "palette_clear.png", _bytes(grey.convert("P"), transparency=3)
  yield "grey_clear.png", _bytes(grey, transparency=3)
  yield "rgb.png", _bytes(rgb)
  yield "rgba.png", _bytes(rgb.convert("RGBA"))
  yield "rgba_all_clear.png", _bytes(Image.merge("RGBA", [grey] * 3 + [clear]))
  yield "la.png", _bytes(grey.convert("LA"))
  yield "packed_text.png", _bytes(grey, pnginfo=_text("x" * 5000))
  yield "interlaced.png", _interlaced(values)
  yield "coloured.png", _bytes(_coloured(grey))
  yield "16_bit_rgb.png", _deep_colour(values)
  yield "black.png", _bytes(Image.new("L", grey.size, 0))
  yield "white.png", _bytes(Image.new("L", grey.size, 255))
  yield "behind_the_end.png", _bytes(grey) + b"trailing bytes"
  yield "jpeg_inside.png", _bytes(grey, "JPEG")
  yield "grey.jpg", _bytes(grey, "JPEG")
  yield "rgb.jpeg", _bytes(rgb, "JPEG")
  yield "cmyk.jpg", _bytes(rgb.convert("CMYK"), "JPEG")
  yield "progressive.jpg", _bytes(grey, "JPEG", progressive=True)
  yield "coloured.jpg", _bytes(_coloured(grey), "JPEG")
  yield "phone.jpg", _bytes(rgb, "MPO", save_all=True, append_images=[rgb])
  for orientation in range(1, 9):
    exif = _exif(orientation)
    yield f"exif_{orientation}.jpg", _bytes(grey, "JPEG", exif=exif)
    yield f"exif_{orientation}.png", _bytes(grey, exif=exif)
  yield "exif_nonsense.jpg", _bytes(grey, "JPEG", exif=_exif(99))
  yield "1x1.png", _bytes(Image.new("L", (1, 1), 9))
  yield "2x2.png", _bytes(Image.new("L", (2, 2), 9))


def _coloured(grey):
  """An image whose red, green and blue differ."""
  return Image.merge("RGB", [grey, grey.transpose(Image.Transpose.ROTATE_90),
                             Image.new("L", grey.size, 40)])  # fmt: skip


def _deep_colour(values):
  pixels = np.dstack([values.astype(np.uint16) * 257] * 3)
  return cv2.imencode(".png", pixels)[1].tobytes()


def _other_images():
  for kind in ("GIF", "BMP", "TIFF"):
    yield f"{kind.lower()}.png", _bytes(_grey(), kind)


def _text(value):
  from PIL.PngImagePlugin import PngInfo

  info = PngInfo()
  info.add_text("Comment", value, zip=True)
  return info


def _bad_images():
  png = _bytes(_grey(), compress_level=0)
  jpeg = _bytes(_grey(), "JPEG")
  yield "empty.png", b""
  yield "one_byte.png", b"\x89"
  yield "signature_alone.png", png[:8]
  yield "header_alone.png", png[:33]
  yield "truncated_half.png", png[: len(png) // 2]
  yield "truncated_end.png", png[:-40]
  yield "bad_header_crc.png", flipped(png, 30)
  yield "bad_data_crc.png", flipped(png, len(png) // 2)
  yield "bad_signature.png", flipped(png, 1)
  yield "no_data.png", _claims(SIDE, SIDE, b"")
  yield "too_little_data.png", _claims(SIDE, SIDE, b"\0" * 100)
  yield "no_width.png", _claims(0, SIDE)
  yield "depth_3.png", _claims(SIDE, SIDE, depth=3)
  yield "colour_7.png", _claims(SIDE, SIDE, colour=7)
  yield "20000x20000.png", _claims(20000, 20000)
  yield "10000x10000.png", _claims(10000, 10000)
  yield "bomb.png", _claims(7000, 7000, b"\0" * 7001 * 7000)
  yield "largest.png", _claims(2**31 - 1, 2**31 - 1)
  yield "text_bomb.png", _bytes(_grey(), pnginfo=_text("x" * 70_000_000))
  yield "empty.jpg", b""
  yield "start_alone.jpg", jpeg[:2]
  yield "truncated.jpg", jpeg[: len(jpeg) // 2]
  yield "text.png", b"This is no image, whatever its name says.\n"
  yield "page.png", b"<!doctype html><title>404 Not Found</title>"
  yield (
    "pointer.png",
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
  )
  yield "script.png", b"#!/bin/sh\ntouch /tmp/was-run\n"
  yield "pickle.png", b"cos\nsystem\n(S'touch /tmp/was-run'\ntR."
  yield "zip.png", b"PK\x03\x04" + b"\0" * 60
  yield "dicom.png", b"\0" * 128 + b"DICM" + b"\0" * 64
  yield "zeros.png", b"\0" * 4096
  yield "postscript.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
  yield "float.png", _bytes(_grey().convert("F"), "TIFF")


def images(folder):
  """Writes the images; returns `{file name: OK, BAD or OTHER}`."""
  folder.mkdir(parents=True)
  expected = {}
  kinds = {OK: _good_images, BAD: _bad_images, OTHER: _other_images}
  for what, files in kinds.items():
    for name, data in files():
      (folder / name).write_bytes(data)
      expected[name] = what
  os.mkfifo(folder / "pipe.png")
  (folder / "dangling.png").symlink_to("nowhere")
  (folder / "circle.png").symlink_to("circle.png")
  expected |= dict.fromkeys(("pipe.png", "dangling.png", "circle.png"), BAD)
  (folder / "folder.png").mkdir()
  (folder / "locked.png").write_bytes(_bytes(_grey()))
  (folder / "locked.png").chmod(0)
  # Nothing is locked for the superuser.
  locked = not os.access(folder / "locked.png", os.R_OK)
  expected["locked.png"] = BAD if locked else OK
  (folder / "notes.txt").write_text("no image, and not asked for")
  return expected
