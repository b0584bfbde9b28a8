"""Images a second from records and from raw PNGs, beside a PyTorch loader.

python -m experiments.benchmark input
"""

import dataclasses
import importlib.util
import itertools
import pathlib
import resource
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from chexjax.commands.options import parse
from chexjax.data.decoding import read_grey
from chexjax.data.pipeline import train_batches
from chexjax.data.sources import open_chest_xray14
from chexjax.runtime.cache_home import DEFAULT, cache_home
from experiments.benchmark import frame

# Batches drawn before the clock starts: more than a loader reads ahead, so
# that none is timed on what it had in store.
_WARM_UP = 24


@dataclasses.dataclass(frozen=True)
class Options:
  """Measures the input pipeline."""

  data_dir: pathlib.Path | None = None
  """Folder in ChestX-ray14's layout, images in images/; default: drawn."""
  cache_dir: pathlib.Path = DEFAULT
  """Folder of the drawn images and of the records."""
  raw_size: int = 1024
  """Side of the drawn images, in pixels."""
  image_size: int = 512
  """Side of the images given, in pixels."""
  images: int = 128
  """Images a repeat."""
  repeats: int = 5
  """Repeats of every row."""
  batch_size: int = 8
  """Images a batch."""
  workers: int = 2
  """Worker processes of the PyTorch loader."""
  our_workers: int = 0
  """Worker processes of ours; 0 reads in threads."""
  memory_images: int = 10_000
  """Images over which the growth of memory is looked at."""
  out: pathlib.Path | None = None
  """JSON file to write."""
  toy: bool = False
  """As small as it goes, to see that it runs."""


class Files:
  """Image files as a source."""

  def __init__(self, paths: list[str], size: int):
    """Reads `paths` as grey of `size` x `size`."""
    self._paths, self._size = paths, size

  def __len__(self) -> int:
    """Returns the number of images."""
    return len(self._paths)

  def __getitem__(self, index: int) -> dict:
    """Returns an example without labels."""
    image = read_grey(self._paths[index], self._size)
    return {"image": image, "labels": np.zeros(1, np.uint8)}


class Joined:
  """The splits of a dataset as one source, repeated up to a length."""

  def __init__(self, sources: list[Any], length: int):
    """Joins `sources`."""
    self._length = length
    self._places = [(s, i) for s in sources for i in range(len(s))]

  def __len__(self) -> int:
    """Returns the length asked for."""
    return self._length

  def __getitem__(self, index: int) -> dict:
    """Returns an example."""
    source, place = self._places[index % len(self._places)]
    return source[place]


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = parse(Options, argv, prog="benchmark input")
  if options.toy:
    options = dataclasses.replace(
      options, raw_size=256, image_size=128, images=32, repeats=2,
      memory_images=320, workers=1,
    )  # fmt: skip
  rows = measure(options)
  result = frame.record(
    "input",
    rows,
    packages=("opencv-python-headless", "pillow", "array_record", "torch"),
  )
  frame.finish(result, options.out)
  return 0


def measure(options: Options) -> list[frame.Row]:
  """Returns all rows."""
  folder, cache = _folder(options), cache_home(options.cache_dir)
  paths = sorted(map(str, (folder / "images").glob("*.png")))
  if not paths:
    raise SystemExit(f"no *.png in {folder / 'images'}")
  length = (_WARM_UP + 4) * options.batch_size + options.images
  repeated = list(itertools.islice(itertools.cycle(paths), length))
  dataset = open_chest_xray14(
    folder, size=options.image_size, cache=cache / "records"
  )
  records = Joined(list(dataset.splits.values()), length)
  files = Files(repeated, options.image_size)
  side = options.image_size
  with Image.open(paths[0]) as image:
    raw = f"{image.width} px PNGs to {side}"
  how = f"{options.our_workers} processes" if options.our_workers else "threads"
  ours = {
    f"{side} px records, {how}": records,
    f"{raw}, {how}": files,
  }
  runs = {name: _grain_run(source, options) for name, source in ours.items()}
  small = _small_files(dataset, paths, cache, options)
  theirs = {
    f"torch DataLoader, {side} px PNGs, Pillow": (small, "BOX"),
    f"torch DataLoader, {raw}, Pillow box (same pixels)": (repeated, "BOX"),
    f"torch DataLoader, {raw}, Pillow bilinear": (repeated, "BILINEAR"),
  }
  missing = importlib.util.find_spec("torch") is None
  if not missing:
    runs |= {
      name: _torch_run(files_of, resample, options)
      for name, (files_of, resample) in theirs.items()
    }
  # The first turn, not counted, starts processes and fills caches.
  found = frame.in_turns(runs, repeats=options.repeats)
  rows = frame.rows(found, "image")
  if missing:
    rows += [
      frame.Row(name, "images/s", note="torch not installed") for name in theirs
    ]
  rows += [
    _memory_row(f"{name}: memory", source, options)
    for name, source in ours.items()
  ]
  return rows


def _folder(options: Options) -> pathlib.Path:
  """Returns the folder given, or one with drawn images."""
  if options.data_dir is not None:
    return options.data_dir.absolute()
  from chexjax.data.phantom import ensure_phantom

  name = f"benchmark_{options.raw_size}"
  return ensure_phantom(
    cache_home(options.cache_dir) / "phantom" / name,
    mend=True,
    num_images=32,
    size=options.raw_size,
  )


def _small_files(dataset, paths, cache, options) -> list[str]:
  """Writes the records' images as PNG files for the other loader."""
  folder = cache / "benchmark" / f"{options.image_size}px"
  folder.mkdir(parents=True, exist_ok=True)
  written = []
  for source in dataset.splits.values():
    for index in range(len(source)):
      example = source[index]
      path = folder / example["file_name"].decode()
      # As the builder encodes them.
      Image.fromarray(example["image"][..., 0]).save(
        path, compress_level=6, compress_type=3
      )
      written.append(str(path))
  length = (_WARM_UP + 4) * options.batch_size + options.images
  return list(itertools.islice(itertools.cycle(written), length))


def _grain_run(source: Any, options: Options) -> Callable[[], frame.Rate]:
  """Returns what measures our pipeline."""
  batches = train_batches(
    source,
    batch_size=options.batch_size,
    seed=0,
    num_workers=options.our_workers,
  )

  def run() -> frame.Rate:
    found = _rate(batches, options)
    batches.close()  # Lest it reads ahead in another's turn.
    return found

  return run


def _torch_run(
  paths: list[str], resample: str, options: Options
) -> Callable[[], frame.Rate]:
  """Returns what measures a PyTorch loader."""
  from experiments.benchmark.torch_loader import loader

  batches = loader(
    paths,
    size=options.image_size,
    resample=resample,
    batch_size=options.batch_size,
    workers=options.workers,
  )
  return lambda: _rate(iter(batches), options)


def _rate(batches: Iterator, options: Options) -> frame.Rate:
  """Measures a loader, after a warm-up."""
  for _ in range(_WARM_UP):
    next(batches)

  def handle() -> int:
    count = max(1, options.images // options.batch_size)
    for _ in range(count):
      next(batches)
    return count * options.batch_size

  return frame.rate(handle)


def _memory_row(name: str, source: Any, options: Options) -> frame.Row:
  """Measures how the peak of memory grows after the first fifth."""
  batches = train_batches(source, batch_size=options.batch_size, seed=0)
  count = options.memory_images // options.batch_size
  peaks = []
  for number in range(count):
    next(batches)
    if number + 1 in (count // 5, count):
      peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
      peaks.append(peak / 1024)
  batches.close()
  note = f"growth of the peak from image {options.memory_images // 5:,} to "
  note += f"{options.memory_images:,}; peak {peaks[-1]:.0f} MiB"
  return frame.Row(name, "MiB", (peaks[-1] - peaks[0],), note)
