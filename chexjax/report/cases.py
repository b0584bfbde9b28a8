"""`cases.zip`: small pictures of every boxed case, for people to look at.

A plain zip: `images/*.jpg` (the film, grey), `maps/*.jpg` (each map stretched
from its lowest to its highest value) and `index.json`, one entry per row of
the localisation table, in its order. Any unzip opens it.
"""

import contextlib
import io
import json
import pathlib
import zipfile
from typing import Any

import numpy as np

from chexjax.io import replacing

VERSION = 1
NAME = "cases.zip"
IMAGE_SIDE, MAP_SIDE = 320, 128  # pixels
_QUALITY = {"image": 65, "map": 75}


def _jpeg(pixels, side, quality):
  """Encode `[h, w]` uint8, its longer side at most `side`."""
  from PIL import Image

  image = Image.fromarray(np.ascontiguousarray(pixels))
  image.thumbnail((side, side), Image.Resampling.BOX)
  out = io.BytesIO()
  image.save(out, "JPEG", quality=quality, optimize=True)
  return out.getvalue()


class CaseWriter:
  """Writes `cases.zip` while the maps stream by; a context manager.

  The file appears when the block ends without an error.
  """

  def __init__(self, path: pathlib.Path):
    """Opens a scratch file beside `path`."""
    self._path = pathlib.Path(path)
    self._stack = contextlib.ExitStack()
    self._scratch = self._stack.enter_context(replacing(self._path))
    self._zip = zipfile.ZipFile(self._scratch, "w", zipfile.ZIP_STORED)
    self._images: dict[str, str] = {}
    self._rows: list[dict[str, Any]] = []

  def __enter__(self) -> "CaseWriter":
    """Returns itself."""
    return self

  def __exit__(self, kind: Any, *rest: Any) -> None:
    """Finishes the file, or takes the scratch away after an error."""
    if kind is None:
      index = {
        "version": VERSION,
        "images": self._images,
        "rows": self._rows,
      }
      self._zip.writestr("index.json", json.dumps(index))
    self._zip.close()
    self._stack.__exit__(kind, *rest)

  def image(self, name: str, pixels: Any) -> None:
    """Stores a film once: `[H, W]` or `[H, W, 1]` uint8."""
    if name in self._images:
      return
    pixels = np.asarray(pixels)
    pixels = pixels[..., 0] if pixels.ndim == 3 else pixels
    file = f"images/{len(self._images)}.jpg"
    self._zip.writestr(file, _jpeg(pixels, IMAGE_SIDE, _QUALITY["image"]))
    self._images[name] = file

  def case(self, image: str, finding: str, maps: Any, *, rows: int = 1) -> None:
    """Stores the maps of a pair: name -> `[h, w]`; `rows` true boxes."""
    number = len(self._rows)
    stored: dict[str, dict] = {}
    for name, heat in maps.items():
      heat = np.asarray(heat, np.float32)
      low, high = float(heat.min()), float(heat.max())
      part = (heat - low) / (high - low) if high > low else heat * 0
      file = f"maps/{number}_{len(stored)}.jpg"
      pixels = np.rint(part * 255).astype(np.uint8)
      self._zip.writestr(file, _jpeg(pixels, MAP_SIDE, _QUALITY["map"]))
      stored[name] = {"file": file, "low": low, "high": high}
    self._rows += [{"image": image, "finding": finding, "maps": stored}] * rows


class Cases:
  """Reads `cases.zip`.

  Attributes:
    rows: for every row of the table `image`, `finding`, `maps`: name ->
      `file`, `low`, `high`.
    images: name of an image -> its file; those without a film are not there.
  """

  def __init__(self, path: pathlib.Path):
    """Opens the file.

    Raises:
      FileNotFoundError: it is not there.
      ValueError: it is of another version.
    """
    self._zip = zipfile.ZipFile(path)
    index = json.loads(self._zip.read("index.json"))
    if index["version"] != VERSION:
      raise ValueError(f"{path} has version {index['version']}, want {VERSION}")
    self.rows = index["rows"]
    self.images = index["images"]

  def read(self, file: str) -> bytes:
    """Returns a picture's JPEG bytes."""
    return self._zip.read(file)

  def pixels(self, file: str) -> np.ndarray:
    """Returns a picture decoded, `[h, w]` uint8."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(self.read(file))).convert("L"))
