"""Scores anybody's predictions, or a run's checkpoint, on the official lists.

python -m experiments.evaluate --predictions=DIR --data_dir=DIR --out=DIR
python -m experiments.evaluate --workdir=DIR
python -m experiments.evaluate --weights=FILE --data_dir=DIR --out=DIR
"""

import dataclasses
import pathlib
import sys
import time
from typing import Literal

import tyro

from chexjax import evaluation
from experiments import output, provenance
from experiments.faults import Faults
from experiments.locate import locate
from experiments.predictions import Predictions, read_predictions
from experiments.truth import Truth, read_truth
from tfds_chestxray14.findings import FINDINGS


@dataclasses.dataclass(frozen=True)
class Options:
  """Scores predictions on ChestX-ray14's official lists and boxes."""

  predictions: pathlib.Path | None = None
  """Folder with scores.csv, and *.npz maps or boxes.json."""
  workdir: pathlib.Path | None = None
  """Folder of a finished run of experiments.run, instead of --predictions."""
  weights: pathlib.Path | None = None
  """The authors' .pth or a folder of experiments.convert, instead;
  --data_dir then holds the test images too."""
  data_dir: pathlib.Path | None = None
  """Folder with the official lists; with images, the report shows them."""
  out: pathlib.Path | None = None
  """Folder of the results; a run's are its workdir's."""
  images: pathlib.Path | None = None
  """List of the images to score, one name a line; all of the test list."""
  frame: int = 512
  """Side that smaller maps are enlarged to before they are cut, in pixels."""
  maps: Literal["paper", "released"] = "paper"
  """What thresholds of sal, det and mix mean: percentiles, or absolute for sal
  as in the authors' code."""
  threshold_means: Literal["percentile", "absolute"] | None = None
  """What thresholds mean for all maps, instead of --maps."""
  draws: int = 1000
  """Draws of patients for the intervals; 0 for none."""
  folds: int = 5
  """Folds of patients of the crossfit protocol."""
  repeats: int = 2
  """Number of times patients are dealt into folds."""
  seed: int = 0
  """Seed of folds and draws."""


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = tyro.cli(
    Options,
    prog="evaluate",
    args=sys.argv[1:] if argv is None else argv,
    config=(tyro.conf.FlagConversionOff,),
    use_underscores=True,
  )
  faults = _option_faults(options)
  if faults:
    print("\n".join(f"error: {fault}" for fault in faults), file=sys.stderr)
    return 2
  began = time.monotonic()
  try:
    if options.workdir is not None:
      from experiments.evaluate_model import score_run

      score_run(options.workdir)
    elif options.weights and options.data_dir and options.out:
      from experiments.evaluate_model import score_weights

      score_weights(options.weights, options.data_dir, options.out)
    elif options.predictions and options.data_dir and options.out:
      score_predictions(
        options.predictions, options.data_dir, options.out, options
      )
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  print(f"done in {time.monotonic() - began:.0f} s")
  return 0


def _option_faults(options: Options) -> list[str]:
  faults = []
  given = (options.predictions, options.workdir, options.weights)
  if sum(source is not None for source in given) != 1:
    faults.append("give one of --predictions=, --workdir= or --weights=")
  elif options.workdir is not None:
    if not (options.workdir / "config.json").is_file():
      faults.append(
        f"--workdir={options.workdir} holds no config.json: no workdir of "
        "experiments.run"
      )
    return faults
  if options.weights is not None and not options.weights.exists():
    faults.append(f"--weights={options.weights}: no such file or folder")
  folders = (
    ("predictions", "data_dir") if not options.weights else ("data_dir",)
  )
  for name in folders:
    path = getattr(options, name)
    if path is None:
      faults.append(f"--{name}=DIR is needed")
    elif not path.is_dir():
      faults.append(f"--{name}={path} is no folder")
  if options.out is None:
    faults.append("--out=DIR is needed")
  for name, least in (("draws", 0), ("folds", 2), ("repeats", 1), ("frame", 8)):
    if getattr(options, name) < least:
      faults.append(f"--{name} must be at least {least}")
  return faults


def score_predictions(
  predictions: pathlib.Path,
  data_dir: pathlib.Path,
  out: pathlib.Path,
  options: Options,
) -> None:
  """Checks a folder of predictions, then scores it."""
  truth = read_truth(data_dir, options.images)
  print(
    f"{len(truth.keys):,} images of {truth.list_name}, "
    f"{len(truth.boxed())} of them with boxes"
  )
  faults = Faults()
  found = read_predictions(predictions, truth, faults)
  out.mkdir(parents=True, exist_ok=True)
  if faults:
    path = out / "faults.txt"
    path.write_text(faults.all_lines(), encoding="utf-8")
    raise ValueError(f"{faults.message(predictions)}\nall of them: {path}")
  if found.unused:
    print(f"not used: {found.unused:,} maps or boxes of images without boxes")
  images = _images(truth, found)
  crossfit = {
    "folds": options.folds,
    "repeats": options.repeats,
    "seed": options.seed,
  }
  table, extra = locate(
    truth,
    found,
    data_dir,
    out,
    side=options.frame,
    rules=_map_rules(options, found.map_names),
  )
  results = evaluation.assemble(
    evaluation.classify(images.labels, images.scores, FINDINGS),
    table,
    dataset="ChestX-ray14",
    provenance=provenance.collect()
    | {"predictions": str(predictions), "dataset": truth.provenance()},
    images=images,
    thresholds=found.thresholds,
    draws=options.draws,
    **extra,
    **crossfit,
  )
  tables = output.write(
    out, results, images, table, published=options.images is None
  )
  print(tables)
  print(f"results in {out}. {results['disclaimer']}")


def _images(truth: Truth, found: Predictions) -> evaluation.Images:
  return evaluation.make_images(
    truth.keys,
    truth.column("patient_id"),
    truth.labels(FINDINGS),
    found.scores,
    FINDINGS,
    view=truth.column("view"),
    sex=truth.column("sex"),
    age=truth.column("age"),
  )


def _map_rules(options: Options, names) -> dict:
  """Returns what thresholds mean, and the scale, of each map."""
  given = {
    "paper": evaluation.DEFAULT_MAPS,
    "released": evaluation.RELEASED_MAPS,
  }[options.maps]
  other = evaluation.MapRule("percentile", "minmax")
  rules = {name: given.get(name, other) for name in names}
  if options.threshold_means is not None:
    rules = {
      name: rule._replace(meaning=options.threshold_means)
      for name, rule in rules.items()
    }
  return rules


if __name__ == "__main__":
  sys.exit(main())
