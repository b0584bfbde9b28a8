"""Draws images and their augmentations with boxes, to look at.

python -m experiments.contact_sheet --out=sheet.png
"""

import dataclasses
import errno
import functools
import pathlib
import sys

import jax
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from chexjax import ops
from chexjax.commands.console import IO_ERROR, run_command, set_up_process
from chexjax.commands.options import parse
from chexjax.data.sources import true_boxes
from chexjax.io import replacing
from chexjax.runtime.cache_home import DEFAULT
from chexjax.training.config import AugmentConfig
from chexjax.training.datasets import open_data
from chexjax.training.moved_boxes import move_boxes
from experiments.configs import CONFIGS

_COLOURS = ("#ff5050", "#50d0ff", "#ffd040", "#60ff80", "#ff80ff", "#c0c0ff")
_GAP, _LINE = 4, 16
LEFT, TOP = 150, 22  # margins with what is said of rows and columns


@dataclasses.dataclass(frozen=True)
class Options:
  """Draws test images with boxes in rows: as they are, then augmented."""

  out: pathlib.Path
  """PNG to write."""
  data_dir: pathlib.Path | None = None
  """Folder of ChestX-ray14 or with a labels.csv; without it, the phantom."""
  cache_dir: pathlib.Path = DEFAULT
  """Folder of drawn phantoms and built records."""
  image_size: int = 256
  """Side of the images, in pixels: 64, 128, 256, 512 or 1024."""
  rows: int = 6
  """Images shown."""
  columns: int = 5
  """Augmentations of each."""
  seed: int = 0
  """Seed of the choice and of the augmentations."""
  augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = parse(Options, argv, prog="contact_sheet", switches=False)
  set_up_process()
  config = dataclasses.replace(
    CONFIGS["phantom"],
    data_dir=options.data_dir,
    cache_dir=options.cache_dir,
    image_size=options.image_size,
    phantom_images=64,
  )
  try:
    if options.rows < 1 or options.columns < 0:
      raise ValueError(
        "--rows must be 1 or more and --columns 0 or more, got "
        f"{options.rows} and {options.columns}"
      )
    # Before the work that it is for.
    options.out.parent.mkdir(parents=True, exist_ok=True)
    dataset = open_data(config)
    if "test" not in dataset.splits:
      raise ValueError("no image of the test split, which has the boxes")
    sheet, count = draw_sheet(dataset, options)
    with replacing(options.out) as scratch:
      sheet.save(scratch, "PNG")
  except OSError as error:
    print(f"error: {error}", file=sys.stderr)
    return IO_ERROR if error.errno in (errno.ENOSPC, errno.EDQUOT) else 2
  except (ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  print(f"{options.out}: {count} images with {options.columns} augmentations")
  return 0


def draw_sheet(dataset, options: Options) -> tuple[Image.Image, int]:
  """Returns the sheet and how many images are on it.

  What is said of a film stands outside of it: its name and its findings, in
  the colours of their boxes, beside its row; over each column what was done.
  """
  source = dataset.splits["test"]
  names = list(dataset.metadata["findings"])
  order = np.random.default_rng(options.seed).permutation(len(source))
  boxed = [i for i in order if len(source.annotation(i)["objects"]["label"])]
  chosen = (boxed or list(order))[: options.rows]
  size, step = options.image_size, options.image_size + _GAP
  shape = (LEFT + step * (1 + options.columns), TOP + step * len(chosen))
  sheet = Image.new("RGB", shape, "#202020")
  pen = ImageDraw.Draw(sheet)
  titles = ["as it is"]
  titles += [f"augmented, {n + 1}" for n in range(options.columns)]
  for column, title in enumerate(titles):
    pen.text((LEFT + column * step + 2, 4), title, "white", _font())
  keys = jax.random.split(jax.random.key(options.seed), options.columns)
  for row, index in enumerate(chosen):
    example = source[index]
    boxes = true_boxes(example, names, size)
    _label_row(pen, TOP + row * step, example, list(boxes), size)
    tiles = [tile(example["image"], boxes)]
    tiles += [
      tile(*_augmented(k, example["image"], boxes, options.augment))
      for k in jax.vmap(jax.random.fold_in, (0, None))(keys, row)
    ]
    for column, picture in enumerate(tiles):
      sheet.paste(picture, (LEFT + column * step, TOP + row * step))
  return sheet, len(chosen)


def _label_row(pen, top: int, example, findings, height: int) -> None:
  """Writes a film's name and findings beside its row, as many as fit."""
  words = [(example["file_name"].decode(), "white")]
  words += [
    (name.replace("_", " "), _COLOURS[number % len(_COLOURS)])
    for number, name in enumerate(findings)
  ]
  fitting = max(1, (height - 2) // _LINE)
  for number, (text, colour) in enumerate(words[:fitting]):
    while len(text) > 1 and pen.textlength(text, _font()) > LEFT - 8:
      text = text[:-2] + "…"
    pen.text((4, top + 2 + number * _LINE), text, colour, _font())


@functools.cache
def _font():
  return ImageFont.load_default(12)


def _augmented(key, image, boxes, augment: AugmentConfig):
  """Augments an image; warps its boxes by the same drawn map."""
  side = {"height": image.shape[0], "width": image.shape[1]}
  warped = ops.augment(key, image, **dataclasses.asdict(augment))
  moved = {
    name: move_boxes(key, of, augment=augment, **side)
    for name, of in boxes.items()
  }
  return np.asarray(warped).round().astype(np.uint8), moved


def tile(image: np.ndarray, boxes: dict[str, np.ndarray]) -> Image.Image:
  """Draws boxes over a `[H, W, 1]` uint8 image, a colour for each name."""
  picture = Image.fromarray(image[..., 0]).convert("RGB")
  pen = ImageDraw.Draw(picture)
  for number, of_name in enumerate(boxes.values()):
    colour = _COLOURS[number % len(_COLOURS)]
    for x1, y1, x2, y2 in np.asarray(of_name):
      # The last pixel that is inside; a box under a pixel is that pixel.
      last = max(x1, x2 - 1), max(y1, y2 - 1)
      pen.rectangle((x1, y1, *last), outline=colour)
  return picture


if __name__ == "__main__":
  sys.exit(run_command(main))
