"""Probabilities and boxes for image files that are in no list.

chexjax predict --weights=DIR --out=predictions IMAGES...

Weights are a run's workdir, a converted folder, or the authors' file. Images
are PNG or JPEG files, or folders, searched through and through. Exit status:
0 all well, 1 some images could not be read (they are listed), 2 nothing was
done.
"""

import collections
import concurrent.futures
import dataclasses
import functools
import pathlib
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import tyro

from chexjax.commands.console import run_command, set_up_process
from chexjax.commands.options import parse
from chexjax.data.images import Film, read_film
from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.inference.image_files import Job, find_images
from chexjax.inference.prediction_files import PredictionFiles
from chexjax.inference.predictor import Predictor, default_batch_size, load
from chexjax.inference.thresholds import percentiles_of, read_thresholds
from chexjax.runtime import compile_cache
from chexjax.types import MapOptions
from chexjax.weights.model_info import ModelInfo

Key = tuple[Job, Film]
_LISTED = 20  # films in the table that is printed


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `predict`."""

  images: tyro.conf.Positional[tuple[pathlib.Path, ...]]
  """PNG or JPEG files, or folders with such."""
  weights: pathlib.Path
  """A run's workdir, a folder of convert, or the authors' file."""
  out: pathlib.Path
  """Folder to write to."""
  preset: Literal["paper", "released"] | None = None
  """Which detection and final map; the weights' own by default."""
  thresholds: pathlib.Path | None = None
  """JSON of finding: percentile, or a run's results.json; by default those that
  the run has chosen itself."""
  raw: bool = False
  """Also write logits and saliency, as .npz."""
  batch_size: int | None = None
  """Images at a time, at most: fewer where they do not fit the memory; by
  default 4 on a CPU, 64 elsewhere."""
  members: tuple[pathlib.Path, ...] = ()
  """Further weights, of models with the same findings and input: the answers
  of all are averaged."""
  flip: bool = False
  """Average the film's and its mirror image's answers."""
  shift: int = 0
  """Average those of the film moved by so many pixels of the model's input to
  each of four sides too; a multiple of 4, 0 for none."""
  compilation_cache: bool = True
  """Whether compiled programs are kept in ~/.cache/chexjax."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="predict", description=__doc__)
  if not options.images:
    print("error: give at least one image or folder", file=sys.stderr)
    return 2
  if options.batch_size is not None and options.batch_size < 1:
    print(
      f"error: --batch_size must be at least 1, got {options.batch_size}",
      file=sys.stderr,
    )
    return 2
  views = MapOptions(flip=options.flip, shift=options.shift)
  faults = [f"--{text}" for text in views.faults()]
  if options.raw and (options.members or options.flip or options.shift):
    faults.append("--raw is of one model and one view alone")
  if faults:
    print("\n".join(f"error: {fault}" for fault in faults), file=sys.stderr)
    return 2
  set_up_process()
  jobs, failed = find_images(options.images, options.out)
  for fault in failed:
    print(f"error: {fault['file']}: {fault['reason']}", file=sys.stderr)
  if not jobs:
    print("error: no image to read; nothing was done", file=sys.stderr)
    return 2
  if options.compilation_cache:
    compile_cache.use_folder(compile_cache.DEFAULT_FOLDER)
  try:
    predictor = load(
      options.weights,
      preset=options.preset,
      members=options.members,
      options=views,
    )
    percentiles, origin = (
      percentiles_of(predictor.info)
      if options.thresholds is None
      else read_thresholds(options.thresholds, predictor.info)
    )
    files = PredictionFiles(
      options.out, predictor, percentiles, raw=options.raw
    )
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}\nnothing was done", file=sys.stderr)
    return 2
  done = _predict_all(predictor, files, jobs, failed, options.batch_size)
  if not done:
    print("error: no image could be read", file=sys.stderr)
    return 2
  files.warn()
  files.write_record(done, failed, origin)
  files.write_table(done)
  print("\n".join(_short_table(done)))
  print(f"{len(done)} images done, {len(failed)} failed; see {options.out}")
  print(DISCLAIMER)
  return 1 if failed else 0


def _short_table(done: list[dict]) -> list[str]:
  """Say what is predicted of the first films."""
  lines = []
  for film in done[:_LISTED]:
    of = film["findings"]
    names = sorted(of, key=lambda name: -of[name]["probability"])
    undecided = all(of[name]["predicted"] is None for name in names)
    shown = [n for n in names if of[n]["predicted"]]
    if undecided:
      shown = names[:1]
    said = ", ".join(f"{n} {of[n]['probability']:.2f}" for n in shown)
    if undecided:
      said += " is the most probable"
    lines.append(f"{film['file']}: {said or 'nothing predicted'}")
  of = done[0]["findings"]
  unjudged = [name for name in of if of[name]["predicted"] is None]
  if unjudged and len(unjudged) < len(of):
    lines.append(
      f"not judged, because the run has no threshold of: {', '.join(unjudged)}"
    )
  if len(done) > _LISTED:
    lines.append(f"and {len(done) - _LISTED} more in predictions.csv")
  return lines


def _predict_all(
  predictor: Predictor,
  files: PredictionFiles,
  jobs: list[Job],
  failed: list[dict],
  batch_size: int | None,
) -> list[dict]:
  """Return the record of every film; those that cannot be read are `failed`.

  Decoding and drawing overlap with the device's work.
  """
  done: list[dict] = []
  began = time.monotonic()
  with concurrent.futures.ThreadPoolExecutor() as pool:
    films = _read_ahead(
      pool,
      jobs,
      failed,
      info=predictor.info,
      ahead=2 * (batch_size or default_batch_size()),
    )
    for keys, rows in predictor.stream(
      films, count=len(jobs), batch_size=batch_size
    ):
      written, shown = zip(*keys)
      done += pool.map(files.write_film, written, shown, rows)
  seconds = time.monotonic() - began
  print(f"{seconds:.1f} s, {len(done) / seconds:.2f} images a second")
  return done


def _read_ahead(
  pool: concurrent.futures.Executor,
  jobs: list[Job],
  failed: list[dict],
  *,
  info: ModelInfo,
  ahead: int,
) -> Iterator[tuple[Key, np.ndarray]]:
  """Yield what can be read, while the pool reads what comes after."""
  rest = iter(jobs)
  reading: collections.deque = collections.deque()
  while True:
    while len(reading) < ahead and (job := next(rest, None)):
      read = functools.partial(
        read_film, job.path, info.image_size, shape=info.shape
      )
      reading.append((job, pool.submit(read)))
    if not reading:
      return
    job, future = reading.popleft()
    try:
      film = future.result()
    except ValueError as error:
      print(f"error: {error}", file=sys.stderr)
      reason = str(error).removeprefix(f"{job.path}: ")
      failed.append({"file": str(job.path), "reason": reason})
    else:
      yield (job, film), film.image


if __name__ == "__main__":
  sys.exit(run_command(main))
