"""`cases.zip`: pictures of boxed cases and of wrong calls, to look at.

A plain zip file with `images/*.jpg` (the film, grey), `maps/*.jpg` (each map
stretched from its lowest to its highest value) and `index.json`: `rows` has one
entry per row of the localisation table, in its order, `wrong` one per false
alarm or miss that has no true box.
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
IMAGE_SIDE, MAP_SIDE = 512, 128  # pixels, at most
_QUALITY = {"image": 50, "map": 75}


def _jpeg(pixels: np.ndarray, side: int, quality: int) -> bytes:
  """Encode `[h, w]` uint8, reduced until its longer side is at most `side`."""
  from PIL import Image

  image = Image.fromarray(np.ascontiguousarray(pixels))
  image.thumbnail((side, side), Image.Resampling.BOX)
  out = io.BytesIO()
  image.save(out, "JPEG", quality=quality, optimize=True)
  return out.getvalue()


class CaseWriter:
  """Writes `cases.zip` case by case; a context manager.

  The file appears when the block ends without an error.
  """

  def __init__(self, path: pathlib.Path):
    """Open a scratch file beside the path.

    Args:
      path: of the file.
    """
    self._path = pathlib.Path(path)
    self._stack = contextlib.ExitStack()
    self._scratch = self._stack.enter_context(replacing(self._path))
    self._zip = zipfile.ZipFile(self._scratch, "w", zipfile.ZIP_STORED)
    self._images: dict[str, str] = {}
    self._rows: list[dict[str, Any]] = []
    self._wrong: list[dict[str, Any]] = []
    self._maps = 0

  def __enter__(self) -> "CaseWriter":
    """Return itself."""
    return self

  def __exit__(self, kind: Any, *rest: Any) -> None:
    """Finish the file, or remove the scratch file after an error."""
    if kind is None:
      index = {
        "version": VERSION,
        "images": self._images,
        "rows": self._rows,
        "wrong": self._wrong,
      }
      self._zip.writestr("index.json", json.dumps(index))
    self._zip.close()
    self._stack.__exit__(kind, *rest)

  def image(self, name: str, pixels: Any) -> None:
    """Store a film, unless it is stored already.

    Args:
      name: of the image.
      pixels: `[H, W]` or `[H, W, 1]` uint8.
    """
    if name in self._images:
      return
    pixels = np.asarray(pixels)
    pixels = pixels[..., 0] if pixels.ndim == 3 else pixels
    file = f"images/{len(self._images)}.jpg"
    self._zip.writestr(file, _jpeg(pixels, IMAGE_SIDE, _QUALITY["image"]))
    self._images[name] = file

  def case(self, image: str, finding: str, maps: Any, *, rows: int = 1) -> None:
    """Store the maps of a case.

    Args:
      image: name of the image.
      finding: whose maps they are.
      maps: name -> `[h, w]`.
      rows: true boxes of the case, each a row of the localisation table.
    """
    stored = self._stored(maps)
    self._rows += [{"image": image, "finding": finding, "maps": stored}] * rows

  def wrong_call(self, image: str, finding: str, maps: Any) -> None:
    """Store the maps of a false alarm or miss without a true box.

    Args:
      image: name of the image.
      finding: that is called wrongly.
      maps: name -> `[h, w]`; may be empty.
    """
    stored = self._stored(maps)
    self._wrong.append({"image": image, "finding": finding, "maps": stored})

  def _stored(self, maps: Any) -> dict[str, dict[str, Any]]:
    """Write maps; return the file and the range of each."""
    stored: dict[str, dict[str, Any]] = {}
    for name, heat in maps.items():
      heat = np.asarray(heat, np.float32)
      low, high = float(heat.min()), float(heat.max())
      part = (heat - low) / (high - low) if high > low else heat * 0
      file = f"maps/{self._maps}.jpg"
      self._maps += 1
      pixels = np.rint(part * 255).astype(np.uint8)
      self._zip.writestr(file, _jpeg(pixels, MAP_SIDE, _QUALITY["map"]))
      stored[name] = {"file": file, "low": low, "high": high}
    return stored


class Cases:
  """Reads `cases.zip`.

  Attributes:
    rows: for every row of the table a dict of `image`, `finding` and `maps`;
      the latter is name -> `file`, `low`, `high`.
    images: name of an image -> its file, for images with a film.
    wrong: image and finding -> `maps`, as in `rows`, of the wrong calls without
      a true box; empty in files of before they were kept.
  """

  def __init__(self, path: pathlib.Path):
    """Open the file.

    Args:
      path: of the file.

    Raises:
      FileNotFoundError: the file is missing.
      ValueError: the file has another version, or is damaged.
    """
    try:
      self._zip = zipfile.ZipFile(path)
      index = json.loads(self._zip.read("index.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
      raise ValueError(
        f"{path} is damaged ({error}); evaluate again"
      ) from error
    if index["version"] != VERSION:
      raise ValueError(f"{path} has version {index['version']}, want {VERSION}")
    self.rows = index["rows"]
    self.images = index["images"]
    self.wrong = {
      (of["image"], of["finding"]): of["maps"] for of in index.get("wrong", ())
    }

  def read(self, file: str) -> bytes:
    """Return the JPEG bytes of a picture.

    Raises:
      ValueError: the file is damaged.
    """
    try:
      return self._zip.read(file)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
      name = self._zip.filename
      raise ValueError(
        f"{name} is damaged ({error}); evaluate again"
      ) from error

  def pixels(self, file: str) -> np.ndarray:
    """Return a picture decoded, `[h, w]` uint8."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(self.read(file))).convert("L"))
