"""Probabilities and boxes for image files that are in no list.

python -m experiments.predict --weights=DIR --out=predictions IMAGES...

Weights are a run's workdir, a folder of `experiments.convert`, or the
authors' file. Images are PNG or JPEG files, or folders, searched through and
through. Exit status: 0 all well, 1 some images could not be read (they are
listed), 2 nothing was done.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from chexjax.data.images import Film, read_film
from chexjax.data.likeness import doubt
from chexjax.evaluation.results import DISCLAIMER
from chexjax.report.overlay import Marked, draw_overlay
from experiments import localize, models, prepare, provenance, thresholds
from experiments.configs import Config
from experiments.files import replacing
from experiments.image_files import Job, find_images

_SHOWN = 3  # findings in an overlay


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  args = _parse(argv)
  jobs, failed = find_images(args.images, args.out)
  for fault in failed:
    print(f"error: {fault['file']}: {fault['reason']}", file=sys.stderr)
  if not jobs:
    print("error: no image to read; nothing was done", file=sys.stderr)
    return 2
  prepare.use_compilation_cache(
    Config(compilation_cache=not args.no_compilation_cache)
  )
  try:
    predictor = Predictor(args)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}\nnothing was done", file=sys.stderr)
    return 2
  done, unread = predictor.run(jobs)
  failed += unread
  if not done:
    print("error: no image could be read", file=sys.stderr)
    return 2
  predictor.warn()
  predictor.write(done, failed)
  print(f"{len(done)} images done, {len(failed)} failed; see {args.out}")
  print(DISCLAIMER)
  return 1 if failed else 0


def _parse(argv):
  parser = argparse.ArgumentParser(
    "predict", description=__doc__, allow_abbrev=False,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = parser.add_argument
  add("images", nargs="+", type=pathlib.Path, metavar="IMAGES")
  add("--weights", required=True, type=pathlib.Path)
  add("--out", required=True, type=pathlib.Path, help="folder to write to")
  add(
    "--preset",
    choices=("paper", "released"),
    help="which detection and final map; the weights' own by default",
  )
  add(
    "--thresholds",
    type=pathlib.Path,
    help="JSON of finding: percentile, or a run's results.json",
  )
  add("--raw", action="store_true", help="also write logits and maps, as .npz")
  add(
    "--batch_size",
    type=int,
    help="images at a time, at most: fewer where they do not fit the memory; "
    "by default 4 on a CPU, 64 elsewhere",
  )
  add(
    "--no_compilation_cache",
    action="store_true",
    help="keep nothing that is compiled in ~/.cache/chexjax",
  )
  args = parser.parse_args(argv)
  if args.batch_size is not None and args.batch_size < 1:
    parser.error(f"--batch_size must be at least 1, got {args.batch_size}")
  return args


class Predictor:
  """A model with its thresholds, and the folder that results go to."""

  def __init__(self, args: argparse.Namespace):
    """Loads the weights.

    Raises:
      FileExistsError: the folder is a file.
    """
    if args.out.exists() and not args.out.is_dir():
      raise FileExistsError(f"--out={args.out} is no folder")
    self.args = args
    self.model, variables, self.info = models.load_model(
      args.weights, args.preset
    )
    self.variables = jax.device_put(variables)
    self.map = localize.map_of(self.info)
    self.percentiles, self.origin = thresholds.read_thresholds(
      args.thresholds, self.map
    )
    self.doubted: dict[pathlib.Path, list[str]] = {}

  def run(self, jobs: list[Job]) -> tuple[list[dict], list[dict]]:
    """Predicts all; decoding and drawing overlap with the device's work.

    Returns:
      The record of every image, and those that could not be read.
    """
    done: list[dict] = []
    failed: list[dict] = []
    most = self.args.batch_size
    if most is None:
      most = 4 if jax.default_backend() == "cpu" else 64
    # Few sizes, since each is compiled.
    forward, size = localize.fitting_forward(
      self.model,
      self.info,
      self.variables,
      min(most, 2 ** (len(jobs) - 1).bit_length()),
    )
    began, waiting = time.monotonic(), None
    with concurrent.futures.ThreadPoolExecutor() as pool:
      for batch in self._batches(pool, jobs, size, failed):
        images = np.stack([film.image for _, film in batch])
        padding = np.repeat(images[-1:], size - len(batch), 0)
        found = forward(self.variables, np.concatenate([images, padding]))
        if waiting is not None:
          done += self._finish(pool, *waiting)
        waiting = batch, found
      if waiting is not None:
        done += self._finish(pool, *waiting)
    seconds = time.monotonic() - began
    print(f"{seconds:.1f} s, {len(done) / seconds:.2f} images a second")
    return done, failed

  def _batches(
    self, pool, jobs, size, failed
  ) -> Iterator[list[tuple[Job, Film]]]:
    """Groups what can be read, two batches of reading ahead."""
    ahead: collections.deque = collections.deque()
    rest = iter(jobs)
    batch: list[tuple[Job, Film]] = []
    while True:
      while len(ahead) < 2 * size and (job := next(rest, None)):
        reading = pool.submit(read_film, job.path, self.info.image_size)
        ahead.append((job, reading))
      if not ahead:
        break
      job, reading = ahead.popleft()
      try:
        batch.append((job, reading.result()))
      except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        reason = str(error).removeprefix(f"{job.path}: ")
        failed.append({"file": str(job.path), "reason": reason})
      if len(batch) == size:
        yield batch
        batch = []
    if batch:
      yield batch

  def _finish(self, pool, batch, found) -> list[dict]:
    found = jax.device_get(found)
    rows = [
      {name: value[i] for name, value in found.items()}
      for i in range(len(batch))
    ]
    return list(pool.map(self._write_one, batch, rows))

  def _write_one(self, pair: tuple[Job, Film], found: dict) -> dict:
    """Writes an image's overlay and arrays; returns its record."""
    job, film = pair
    self.args.out.mkdir(parents=True, exist_ok=True)
    heat = found.pop("heat")
    if self.args.raw:
      arrays = found | {"findings": np.array(self.info.findings)}
      path = self.args.out / f"{job.stem}.npz"
      # A file and not its name, to which numpy would append `.npz`.
      with replacing(path) as scratch, scratch.open("wb") as file:
        np.savez(file, **arrays)
    logits = found["full_logits"].astype(np.float64)
    findings = {
      name: {"probability": float(1 / (1 + np.exp(-logits[k])))}
      | localize.box_map(
        heat[k],
        self.percentiles[name],
        size=self.info.image_size,
        original=film.original.shape,
      )
      | {"map": self.map}
      for k, name in enumerate(self.info.findings)
    }
    overlay = f"{job.stem}_overlay.png"
    shown = np.argsort(-logits)[:_SHOWN]
    marked = []
    for k in shown:
      name = self.info.findings[k]
      of = findings[name]
      title = f"{name} {of['probability']:.2f}"
      marked.append(Marked(title, heat[k], of["box"]))
    with replacing(self.args.out / overlay) as scratch:
      # The default level takes three times as long, for a seventh less.
      draw_overlay(film.original, marked).save(scratch, "PNG", compress_level=1)
    for note in film.notes:
      print(f"note: {job.path}: {note}", file=sys.stderr)
    height, width = film.original.shape
    doubted = doubt(film.original)
    if doubted:
      self.doubted.setdefault(job.path.parent, []).append(doubted)
    return {
      "file": str(job.path),
      "width": width,
      "height": height,
      "notes": [*film.notes, *([doubted] if doubted else [])],
      "overlay": overlay,
      "raw": f"{job.stem}.npz" if self.args.raw else None,
      "findings": findings,
    }

  def warn(self) -> None:
    """Says for every folder how many images look like mistakes."""
    for folder, doubts in sorted(self.doubted.items()):
      kinds = collections.Counter(doubts).most_common()
      said = "; ".join(f"{count} {kind}" for kind, count in kinds)
      print(
        f"warning: {folder}: {said}. Predictions are for upright frontal films "
        "with dark air; the images were taken as they are, see notes in "
        "predictions.json",
        file=sys.stderr,
      )

  def write(self, done: list[dict], failed: list[dict]) -> None:
    """Writes `predictions.json`."""
    record: dict[str, Any] = {
      "schema_version": 1,
      "disclaimer": DISCLAIMER,
      "weights": self.info.source,
      "preset": self.info.preset,
      "image_size": self.info.image_size,
      "conventions": {
        "probability": "sigmoid of the full image's logit",
        "box": "x1, y1, x2, y2 in pixels of the original image, exclusive end",
        "threshold": "percentile: share of the map's pixels below the cut",
        "box_score": "highest value of the map inside the box",
        "component": "largest, 8-connected",
        "thresholds_from": self.origin,
      },
      "images": done,
      "failed": failed,
      "provenance": provenance.collect(),
    }
    with replacing(self.args.out / "predictions.json") as scratch:
      scratch.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")


if __name__ == "__main__":
  sys.exit(main())
