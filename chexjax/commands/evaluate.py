"""Score anybody's predictions, a run's checkpoint, or weights.

chexjax evaluate --predictions=DIR --data_dir=DIR --out=DIR
chexjax evaluate --workdir=DIR
chexjax evaluate --weights=FILE --data_dir=DIR --out=DIR
"""

import dataclasses
import pathlib
import sys
import time
from collections.abc import Sequence
from typing import Literal

from chexjax import evaluation
from chexjax.commands.console import show_messages
from chexjax.commands.options import parse
from chexjax.evaluation.outputs.folder import write_folder
from chexjax.evaluation.submissions.faults import Faults
from chexjax.evaluation.submissions.official_lists import (
  FRAME,
  read_official_lists,
)
from chexjax.evaluation.submissions.prediction_folder import (
  Submission,
  read_submission,
)
from chexjax.report.submission_pictures import SubmissionPictures
from chexjax.runtime import provenance
from tfds_chestxray14.folder import find_images


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `evaluate`."""

  predictions: pathlib.Path | None = None
  """Folder with scores.csv, and *.npz maps or boxes.json."""
  workdir: pathlib.Path | None = None
  """Folder of a finished run of experiments.run, instead of --predictions."""
  weights: pathlib.Path | None = None
  """The authors' .pth or a folder of convert, instead;
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


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="evaluate", description=__doc__)
  faults = _option_faults(options)
  if faults:
    print("\n".join(f"error: {fault}" for fault in faults), file=sys.stderr)
    return 2
  show_messages()
  began = time.monotonic()
  try:
    if options.workdir is not None:
      from chexjax.training.rescore import score_run

      score_run(options.workdir)
    elif options.weights and options.data_dir and options.out:
      from chexjax.training.rescore import score_weights

      score_weights(options.weights, options.data_dir, options.out)
    elif options.predictions and options.data_dir and options.out:
      _score_predictions(
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


def _score_predictions(
  predictions: pathlib.Path,
  data_dir: pathlib.Path,
  out: pathlib.Path,
  options: Options,
) -> None:
  """Check a folder of predictions, then score it."""
  lists = read_official_lists(data_dir, options.images)
  print(
    f"{len(lists.keys):,} images of {lists.list_name}, "
    f"{len(lists.boxed())} of them with boxes"
  )
  faults = Faults()
  found = read_submission(predictions, lists, faults)
  out.mkdir(parents=True, exist_ok=True)
  if faults:
    path = out / "faults.txt"
    path.write_text(faults.all_lines(), encoding="utf-8")
    raise ValueError(f"{faults.message(predictions)}\nall of them: {path}")
  _say_what_is_left_out(found)
  with SubmissionPictures(_films(data_dir), out) as pictures:
    scored = evaluation.evaluate(
      scores=found.scores,
      truth=lists.truth(options.frame if found.maps else FRAME),
      maps_or_boxes=found.maps_or_boxes(),
      rules=_map_rules(options, found.map_names),
      thresholds=found.thresholds,
      draws=options.draws,
      folds=options.folds,
      repeats=options.repeats,
      seed=options.seed,
      provenance=provenance.collect()
      | {"predictions": str(predictions), "dataset": lists.provenance()},
      watch=pictures.case,
    )
  print(f"{pictures.count} films for the report, from {data_dir}")
  if found.boxes is not None:
    given = scored.table.boxes["box"]["given"]
    missing = int((given.sum((1, 2)) == 0).sum())
    print(
      f"{missing} of {len(given)} true boxes without a predicted one: IoU 0"
    )
  print(write_folder(out, scored, published=options.images is None))
  print(f"results in {out}. {scored.results['disclaimer']}")


def _films(data_dir: pathlib.Path) -> dict[str, str]:
  """Return the files of the films, if the folder holds any."""
  try:
    return find_images(data_dir).paths
  except FileNotFoundError:
    return {}


def _say_what_is_left_out(found: Submission) -> None:
  if found.unused:
    print(f"not used: {found.unused:,} maps or boxes of images without boxes")
  if not found.maps and found.boxes is None:
    print("neither maps nor boxes: baselines only")


def _map_rules(options: Options, names: Sequence[str]) -> dict:
  """Return what thresholds mean, and the scale, of each map."""
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
