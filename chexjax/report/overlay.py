"""A film beside its findings: the heat map and the box of each."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from chexjax.evaluation.outputs.results_json import DISCLAIMER

_SIDE = 480  # longest side of one picture, in pixels
_LINE = 22
_CYAN = (46, 230, 255)  # as predicted boxes in `figures`


class Marked(NamedTuple):
  """One finding of an image.

  Attributes:
    title: such as `Effusion 0.83`.
    heat: `[h, w]` finite, of any size, stretched over the image.
    box: `[4]` x1, y1, x2, y2 in pixels of the image, or None.
  """

  title: str
  heat: Any
  box: Any = None


def draw_overlay(
  image: np.ndarray, marked: Sequence[Marked], *, columns: int | None = None
) -> Image.Image:
  """Draw the film, and beside it one copy with map and box for every finding.

  A map is stretched from its own lowest to its own highest value: it shows
  where a finding is, not how strong the evidence is.

  Args:
    image: `[H, W]` uint8.
    marked: the findings to show.
    columns: pictures in a row; by default all are in one.

  Returns:
    An RGB picture; its last line is the disclaimer.

  Raises:
    ValueError: the image has another shape or type.
  """
  if image.ndim != 2 or image.dtype != np.uint8:
    raise ValueError(
      f"want an image [H, W] uint8, got {image.shape} {image.dtype}"
    )
  height, width = image.shape
  scale = _SIDE / max(height, width)
  size = max(1, round(width * scale)), max(1, round(height * scale))
  film = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
  count = 1 + len(marked)
  columns = min(columns or count, count)
  rows = -(-count // columns)
  width, height = max(size[0], 200) + 4, size[1] + _LINE
  whole = Image.new("RGB", (width * columns, height * rows + _LINE), "black")
  font = ImageFont.load_default(14)
  pen = ImageDraw.Draw(whole)
  pen.text((4, 3), "Input", "white", font)
  whole.paste(film.convert("RGB"), (0, _LINE))
  for number, each in enumerate(marked, 1):
    left, top = number % columns * width, number // columns * height
    pen.text((left + 4, top + 3), each.title, "white", font)
    top += _LINE
    whole.paste(_heated(film, each.heat), (left, top))
    if each.box is None:
      pen.text((left + 4, top + 3), "no box", _CYAN, font)
      continue
    x1, y1, x2, y2 = (float(v) * scale for v in each.box)
    corners = (left + x1, top + y1, left + x2 - 1, top + y2 - 1)
    corners = (*corners[:2], *np.maximum(corners[2:], corners[:2]))
    pen.rectangle(corners, outline=_CYAN, width=2)
  pen.text((4, height * rows + 3), DISCLAIMER, "white", font)
  return whole


def _heated(film: Image.Image, heat: Any) -> Image.Image:
  """Return the film with a map over it; high values are more opaque."""
  heat = np.asarray(heat, np.float32)
  low, high = heat.min(), heat.max()
  part = (heat - low) / (high - low) if high > low else np.zeros_like(heat)
  large = Image.fromarray(part).resize(film.size, Image.Resampling.BILINEAR)
  level = (255 * np.asarray(large)).round().astype(np.uint8)
  kept, added = _shades()
  mixed = np.asarray(film)[..., None] * kept[level] + added[level]
  return Image.fromarray(mixed.round().astype(np.uint8))


@functools.cache
def _shades() -> tuple[Any, Any]:
  """Return the film's share `[256, 1]` and the colour to add `[256, 3]`."""
  from matplotlib import colormaps

  colours = colormaps["inferno"](np.arange(256))[:, :3] * 255
  alpha = 0.1 + 0.5 * np.arange(256)[:, None] / 255
  return np.float32(1 - alpha), np.float32(colours * alpha)
