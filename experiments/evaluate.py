"""Scores anybody's predictions, or a run's checkpoint, on the official lists.

python -m experiments.evaluate --predictions=DIR --data_dir=DIR --out=DIR
python -m experiments.evaluate --workdir=DIR
python -m experiments.evaluate --weights=FILE --data_dir=DIR --out=DIR
"""

import dataclasses
import os
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import tyro

from chexjax import evaluation
from chexjax.data.images import read_original
from chexjax.evaluation.detection import Detections
from chexjax.evaluation.given import GIVEN, no_boxes, table_of_boxes
from chexjax.report.cases import NAME, CaseWriter
from experiments import heat_files, output, provenance
from experiments.faults import Faults
from experiments.predictions import Predictions, read_predictions
from experiments.truth import FRAME, Truth, read_truth
from tfds_chestxray14.findings import BOXED_FINDINGS, FINDINGS
from tfds_chestxray14.folder import find_images, stem


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
  table, extra = _locate(options, truth, found, data_dir, out)
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


def _locate(options, truth, found, data_dir, out):
  """Gives the table, and what `assemble` needs beside it."""
  with CaseWriter(out / NAME) as cases:
    films = _Films(data_dir)
    if not found.maps:
      table, boxes = _score_boxes(truth, found)
      for image, finding in zip(table.image, table.finding):
        films.store(image, cases)
        cases.case(image, finding, {})
      extra = {"boxes": boxes, "components": (GIVEN,)}
    else:
      collector = _score_maps(options, truth, found, cases, films)
      table, extra = collector.table(), {"others": collector.others()}
  print(f"{films.count} films for the report, from {data_dir}")
  return table, extra


def map_rules(options: Options, names) -> dict:
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


def _score_maps(options, truth, found, cases, films):
  """Streams the maps of the boxed images through a collector."""
  side = options.frame
  with ThreadPoolExecutor(os.cpu_count()) as executor:
    collector = evaluation.LocalizationCollector(
      (side, side),
      maps=map_rules(options, found.map_names),
      executor=executor,
    )
    for number, (key, path) in enumerate(found.maps.items(), 1):
      patient = truth.lists.entries[key].patient_id
      boxes = truth.boxes(key, side)
      films.store(key, cases)
      for finding, maps in heat_files.load(path):
        if finding not in BOXED_FINDINGS:
          continue
        mine = boxes.get(finding, np.zeros((0, 4)))
        collector.add(
          image=key, patient=patient, finding=finding, boxes=mine, maps=maps
        )
        if len(mine):
          cases.case(key, finding, maps, rows=len(mine))
      last = number == len(found.maps)
      if last or number % 20 == 0:
        said = f"\rscored {number}/{len(found.maps)} images"
        print(said, end="\n" if last else "", flush=True)
    collector.table()
  return collector


def _score_boxes(truth: Truth, found: Predictions):
  """Gives the table and all boxes of a model that gives boxes."""
  rows = found.boxes or []
  xywh = np.array([[r[k] for k in "xywh"] for r in rows], float).reshape(-1, 4)
  corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
  boxes = Detections(
    np.array([stem(r["file"]) for r in rows], str),
    np.array([r["finding"] for r in rows], str),
    np.clip(corners, 0, FRAME),
    np.array([r["score"] for r in rows], float),
  )
  true = [
    (key, str(truth.lists.entries[key].patient_id), finding, box)
    for key in truth.boxed()
    for finding, of in sorted(truth.boxes(key, FRAME).items())
    for box in of
  ]
  table = table_of_boxes(true, boxes, (FRAME, FRAME))
  if found.boxes is None:
    print("neither maps nor boxes: baselines only")
    return no_boxes(table), None
  missing = int((table.boxes["box"]["given"].sum((1, 2)) == 0).sum())
  print(f"{missing} of {len(true)} true boxes without a predicted one: IoU 0")
  return table, boxes


class _Films:
  """The films of a folder, when it holds any, for the report's pictures."""

  def __init__(self, folder: pathlib.Path):
    self.count, self._seen = 0, set[str]()
    try:
      self._paths: dict[str, str] = find_images(folder).paths
    except FileNotFoundError:
      self._paths = {}

  def store(self, key: str, cases: CaseWriter) -> None:
    """Stores an image's film in the cases, once."""
    if key in self._seen or key not in self._paths:
      return
    self._seen.add(key)
    try:
      film = read_original(self._paths[key])
    except ValueError as error:
      print(f"note: no film for the report: {error}", file=sys.stderr)
      return
    self.count += 1
    cases.image(key, film)


if __name__ == "__main__":
  sys.exit(main())
