"""Probabilities and boxes for image files that are in no list.

chexjax predict --weights=DIR --out=predictions IMAGES...
chexjax predict --weights=DIR --out=parts --shard=3/100 IMAGES...

Weights are a run's workdir, a converted folder, or the authors' file. Images
are PNG, JPEG or DICOM files, or folders, searched through and through. Exit
status: 0 all well, 1 some images could not be read (they are listed), 2 nothing
was done. With --shard or --format, records are appended to a file as they come,
and the same command goes on after a kill (docs/bulk.md).
"""

import contextlib
import dataclasses
import pathlib
import sys
from collections.abc import Sequence
from typing import Literal

import tyro

from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.commands.film_work import FilmWork
from chexjax.commands.options import parse
from chexjax.data.images import Laterals
from chexjax.dicom.recognition import is_dicom
from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.extras import require
from chexjax.inference.dicom_results import DicomFolder, DicomResults
from chexjax.inference.film_findings import FilmFindings
from chexjax.inference.image_files import Job, find_images
from chexjax.inference.prediction_files import PredictionFiles
from chexjax.inference.predictor import load
from chexjax.inference.shards import (
  Shard,
  check_run,
  open_shard,
  parse_shard,
)
from chexjax.inference.thresholds import percentiles_of, read_thresholds
from chexjax.runtime import compile_cache
from chexjax.runtime.cache_home import DEFAULT, cache_home
from chexjax.types import MapOptions
from chexjax.weights.digest import digest_of

_LISTED = 20  # films in the table that is printed


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `predict`."""

  images: tyro.conf.Positional[tuple[pathlib.Path, ...]]
  """PNG, JPEG or DICOM files, or folders with such."""
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
  dicom_out: pathlib.Path | None = None
  """Folder for DICOM objects of the films that are DICOM files: a structured
  report, a presentation state and a picture of each."""
  dicom_seg: bool = False
  """Also write a segmentation of the maps to --dicom_out."""
  laterals: Laterals = "refuse"
  """Whether films that their DICOM headers call lateral views are refused, or
  predicted with a note."""
  keep_ids: bool = False
  """Whether predictions.json has the patient's name, ID and the UIDs of each
  DICOM film; without it none of them is written anywhere."""
  batch_size: int | None = None
  """Images at a time, at most: fewer where they do not fit the memory; by
  default 4 on a CPU, 64 elsewhere."""
  members: tuple[pathlib.Path, ...] = ()
  """Further weights, of models with the same findings, whose films are as large
  as those of --weights or an integral part: the answers of all are averaged."""
  flip: bool = False
  """Average the film's and its mirror image's answers."""
  shift: int = 0
  """Average those of the film moved by so many pixels of the model's input to
  each of four sides too; a multiple of 4, 0 for none."""
  shard: str | None = None
  """i/n: do the i-th of n equal parts, 1/n to n/n, all into one --out; the
  command merge joins them."""
  format: Literal["json", "jsonl", "parquet"] | None = None
  """Records in one predictions.json at the end, or as JSON lines as they come,
  from which parquet makes a table; json by default, jsonl with --shard."""
  overlays: bool = True
  """Whether a picture of each film is drawn."""
  compilation_cache: bool = True
  """Whether compiled programs are kept in XDG_CACHE_HOME/chexjax, by default
  ~/.cache/chexjax."""


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
  kind = options.format or ("jsonl" if options.shard else "json")
  views = MapOptions(flip=options.flip, shift=options.shift)
  try:
    if views.faults():
      raise ValueError("; ".join(f"--{text}" for text in views.faults()))
    shard = parse_shard(options.shard or "1/1")
    if options.shard and kind == "json":
      raise ValueError("--shard needs --format=jsonl or parquet")
    if kind == "parquet":
      require("parquet", "pyarrow")
    if options.raw and (options.members or options.flip or options.shift):
      raise ValueError("--raw is of one model and one view alone")
    if options.dicom_seg and options.dicom_out is None:
      raise ValueError("--dicom_seg needs --dicom_out=DIR")
  except (ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  set_up_process()
  outs = [options.out, *filter(None, [options.dicom_out])]
  jobs, failed = find_images(options.images, outs)
  for fault in failed:
    print(f"error: {fault['file']}: {fault['reason']}", file=sys.stderr)
  if not jobs:
    print("error: no image to read; nothing was done", file=sys.stderr)
    return 2
  others = 0
  if options.dicom_out is not None:
    others = sum(not is_dicom(job.path) for job in jobs)
  if others == len(jobs):
    print(
      f"error: none of {others} images is a DICOM file, which the objects of "
      "--dicom_out would refer to; nothing was done",
      file=sys.stderr,
    )
    return 2
  try:
    if options.compilation_cache:
      compile_cache.use_folder(cache_home(DEFAULT) / "compiled")
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
    of_films = FilmFindings(predictor, percentiles)
    dicom = None
    if options.dicom_out is not None:
      results = DicomResults(
        of_films, thresholds_from=origin, segmentation=options.dicom_seg
      )
      dicom = DicomFolder(options.dicom_out, results)
    files = PredictionFiles(
      options.out,
      of_films,
      raw=options.raw,
      keep_ids=options.keep_ids,
      dicom=dicom,
      overlays=options.overlays,
    )
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}\nnothing was done", file=sys.stderr)
    return status_of(error)
  if predictor.info.drawn:
    print(
      f"note: {options.weights} has seen drawn films alone: this shows how "
      "things work, not what a real film has"
    )
  _say_what_stays(options.out, jobs)
  work = FilmWork(predictor, files, options.batch_size, options.laterals)
  if kind != "json":
    return _predict_shard(options, shard, kind, work, jobs, failed, origin)
  done: list[dict] = []
  work.predict(jobs, failed, done.extend)
  if not done:
    print("error: no image could be read", file=sys.stderr)
    return 2
  files.warn()
  failed += files.without_objects
  files.write_record(done, failed, origin)
  files.write_table(done)
  print("\n".join(_short_table(done)))
  print(f"done: {len(done)}, failed: {len(failed)}; see {options.out}")
  if options.dicom_out is not None:
    count = sum(bool(film["dicom"]) for film in done)
    rest = f"; {others} images are no DICOM files and have none"
    print(
      f"DICOM objects of {count} films; see {options.dicom_out}"
      + (rest if others else "")
    )
  print(DISCLAIMER)
  return 1 if failed else 0


def _predict_shard(
  options: Options,
  shard: Shard,
  kind: str,
  work: FilmWork,
  jobs: list[Job],
  failed: list[dict],
  origin: str,
) -> int:
  """Do what is missing of a part; return the exit status."""
  run = {
    "shards": shard.total,
    "format": kind,
    "raw": options.raw,
    "flip": options.flip,
    "shift": options.shift,
    "weights_sha256": digest_of(work.predictor.variables),
  }
  with contextlib.ExitStack() as stack:
    try:
      check_run(options.out, work.files.about(origin) | run)
      part = stack.enter_context(open_shard(options.out, shard, kind))
    except (OSError, ValueError) as error:
      print(f"error: {error}\nnothing was done", file=sys.stderr)
      return status_of(error)
    own = shard.own(jobs)
    missing = part.missing(own)
    done = 0
    if missing:
      done = work.predict(missing, failed, part.journal.append)
      work.files.warn()
    failed += work.files.without_objects
    part.finish(failed)
  print(
    f"{shard.name}: done: {done}, done before: {len(own) - len(missing)}, "
    f"failed: {len(failed)}; see {options.out}"
  )
  print(DISCLAIMER)
  return 1 if failed else 0


def _say_what_stays(out: pathlib.Path, jobs: list[Job]) -> None:
  """Say which pictures in the folder are of films that are not predicted."""
  own = {f"{job.stem}_overlay.png" for job in jobs}
  old = sorted(p.name for p in out.glob("*_overlay.png") if p.name not in own)
  if old:
    print(
      f"note: {out} keeps pictures of earlier predictions, of {len(old)} other "
      f"films, such as {old[0]}"
    )


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


if __name__ == "__main__":
  sys.exit(run_command(main))
