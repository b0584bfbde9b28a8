"""Score anybody's predictions, a run's checkpoint, or weights.

chexjax evaluate --predictions=DIR --data_dir=DIR --out=DIR
chexjax evaluate --workdir=DIR
chexjax evaluate --workdir=DIR --data_dir=DIR --out=DIR
chexjax evaluate --weights=FILE --data_dir=DIR --out=DIR
"""

import dataclasses
import pathlib
import sys
import time
from collections.abc import Sequence
from typing import Literal

from chexjax.commands.closing import closing, report_command
from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.commands.options import parse
from chexjax.commands.scored_predictions import score_predictions
from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.report.own_report import NAME, try_report


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `evaluate`."""

  predictions: pathlib.Path | None = None
  """Folder with scores.csv, *.npz maps or boxes.json."""
  workdir: pathlib.Path | None = None
  """Folder of a finished run of experiments.run, instead of --predictions."""
  weights: pathlib.Path | None = None
  """The authors' .pth or a folder of convert, instead."""
  data_dir: pathlib.Path | None = None
  """Folder with the official lists, or with a labels.csv: its test images are
  scored. With --workdir other images than the run's own; with --predictions
  the images themselves are needed by the report alone (of a labels.csv: their
  sizes)."""
  out: pathlib.Path | None = None
  """Folder of the results; with --workdir that folder by default."""
  images: pathlib.Path | None = None
  """List of the test images to score, one name a line; by default all."""
  frame: int | None = None
  """Side that smaller maps of --predictions are enlarged to before they are
  cut, in pixels; 512 by default."""
  maps: Literal["paper", "released"] | None = None
  """What thresholds of sal, det and mix mean: percentiles, or absolute for sal
  as in the authors' code; of a model also which maps are drawn. By default the
  model's own, paper for --predictions."""
  threshold_means: Literal["percentile", "absolute"] | None = None
  """What thresholds mean for all maps, instead of --maps."""
  grad_cam: bool = False
  """Whether Grad-CAM and Grad-CAM++ of our own model are scored too."""
  draws: int = 1000
  """Draws of patients for the intervals; 0 for none."""
  folds: int = 5
  """Folds of patients of the crossfit protocol."""
  repeats: int = 2
  """Number of times patients are dealt into folds."""
  seed: int | None = None
  """Seed of folds and draws; by default the run's, of other models 0."""
  members: tuple[pathlib.Path, ...] = ()
  """Further workdirs or folders of weights, whose films are as large as those
  of --workdir or an integral part: the answers of all are averaged. Needs
  --out."""
  flip: bool | None = None
  """Average the film's and its mirror image's answers; by default as the run,
  which holds for the next six too."""
  shift: int | None = None
  """Average those of the film moved by so many pixels to each of four sides
  too; a multiple of 4, 0 for none."""
  smooth: float | None = None
  """Deviation of the Gaussian that smooths placed maps, as a fraction of the
  side; placed maps are rows of their own."""
  least_size: float | None = None
  """Least side of a box of placed maps, as a fraction of the film's, but where
  the film's border cuts it."""
  prior: float | None = None
  """Weight, in 0..1, that placed maps give to the finding's mean saliency over
  its positive training films; the data_dir needs these."""
  centre: float | None = None
  """Weight, in 0..1, that placed maps give to the middle of the film."""
  centre_by_auc: bool | None = None
  """Give each finding a weight of the middle of its own, 2 (1 - AUC), of the
  data_dir's validation films: a map counts as much as its finding's answers are
  worth."""


# What changes a model's answers, and so may not replace a run's own results.
_OF_MODELS = (
  "members", "flip", "shift", "smooth", "least_size", "prior", "centre",
  "centre_by_auc",
)  # fmt: skip
_LEAST = {"draws": 0, "folds": 2, "repeats": 1, "frame": 8, "seed": 0}


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="evaluate", description=__doc__)
  faults = _option_faults(options)
  if faults:
    print("\n".join(f"error: {fault}" for fault in faults), file=sys.stderr)
    return 2
  set_up_process()
  began = time.monotonic()
  try:
    _score(options)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return status_of(error)
  # Set, as the options were checked.
  folder = options.out or options.workdir or pathlib.Path()
  # A report that is older than its results would mislead.
  report = (folder / NAME).is_file() and try_report(folder)
  took = f"{time.monotonic() - began:.0f} s"
  lines = closing(folder, took=took, report=report)
  print("\n".join([*lines, DISCLAIMER, f"next:\n  {report_command(folder)}"]))
  return 0


def _score(options: Options) -> None:
  if options.predictions and options.data_dir and options.out:
    score_predictions(
      options.predictions,
      options.data_dir,
      options.out,
      images=options.images,
      frame=options.frame,
      maps=options.maps,
      threshold_means=options.threshold_means,
      draws=options.draws,
      folds=options.folds,
      repeats=options.repeats,
      seed=options.seed or 0,
    )
    return
  from chexjax.training import rescore

  names = [field.name for field in dataclasses.fields(rescore.Scoring)]
  asked = rescore.Scoring(**{name: getattr(options, name) for name in names})
  if options.workdir is not None:
    rescore.score_run(options.workdir, asked)
  elif options.weights is not None:
    rescore.score_weights(options.weights, asked)


def _option_faults(options: Options) -> list[str]:
  given = (options.predictions, options.workdir, options.weights)
  if sum(source is not None for source in given) != 1:
    return ["give one of --predictions=, --workdir= or --weights="]
  faults = [
    f"--{name} must be at least {least}"
    for name, least in _LEAST.items()
    if (value := getattr(options, name)) is not None and value < least
  ]
  if options.workdir is not None:
    faults += _workdir_faults(options, options.workdir)
  elif options.weights is not None and not options.weights.exists():
    faults.append(f"--weights={options.weights}: no such file or folder")
  if options.predictions is not None and options.grad_cam:
    faults.append("--grad_cam is for a model: predictions bring their own maps")
  if options.predictions is None and options.frame is not None:
    faults.append(
      "--frame is for --predictions: a model's maps are measured at the size "
      "of its own input"
    )
  if options.predictions is not None:
    faults += [
      f"--{name} is for a model: --predictions are scored as they are"
      for name in _OF_MODELS
      if getattr(options, name) not in (None, ())
    ]
  faults += [
    f"--members={path}: no such file or folder"
    for path in options.members
    if not path.exists()
  ]
  needed = {
    "data_dir": options.data_dir or options.workdir,
    "out": options.out or options.workdir,
  }
  for name, path in needed.items():
    if path is None:
      faults.append(f"--{name}=DIR is needed")
  for name in ("predictions", "data_dir"):
    path = getattr(options, name)
    if path is not None and not path.is_dir():
      faults.append(f"--{name}={path} is no folder")
  if options.images is not None and not options.images.is_file():
    faults.append(f"--images={options.images} is no file")
  return faults


def _workdir_faults(options: Options, workdir: pathlib.Path) -> list[str]:
  if not (workdir / "config.json").is_file():
    return [
      f"--workdir={workdir} holds no config.json: no workdir of experiments.run"
    ]
  return [
    f"--{name} needs --out=DIR: {workdir} holds the run's results on all of "
    "its own test images, which would be overwritten"
    for name in ("data_dir", "images", *_OF_MODELS)
    if getattr(options, name) not in (None, ()) and options.out is None
  ]


if __name__ == "__main__":
  sys.exit(run_command(main))
