"""The scoring of maps and boxes, and intervals by resampling patients.

python -m experiments.benchmark evaluate
"""

import concurrent.futures
import dataclasses
import os
import pathlib
from collections.abc import Callable

import numpy as np
import scipy.ndimage
import sklearn.metrics

from chexjax.commands.options import parse
from chexjax.evaluation import LocalizationCollector
from chexjax.evaluation.measures.heat_maps import THRESHOLDS
from chexjax.evaluation.protocols import bootstrap
from chexjax.evaluation.protocols.ranking import classification_draws
from chexjax.inference.maps import MAPS
from experiments.benchmark import clock, frame


@dataclasses.dataclass(frozen=True)
class Options:
  """Measures the evaluation on drawn maps and scores."""

  boxes: int = 984
  """True boxes, each with three maps."""
  map_size: int = 128
  """Side of the maps as given, in pixels."""
  image_size: int = 512
  """Side of the frame that maps are brought to, in pixels."""
  images: int = 25_596
  """Images of the test split."""
  num_classes: int = 14
  """Findings."""
  draws: int = 1000
  """Draws of patients."""
  released: bool = False
  """Whether the authors' own rules are scored too."""
  repeats: int = 3
  """Repeats of every row."""
  out: pathlib.Path | None = None
  """JSON file to write."""
  toy: bool = False
  """As small as it goes, to see that it runs."""


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = parse(Options, argv, prog="benchmark evaluate")
  if options.toy:
    options = dataclasses.replace(
      options, boxes=3, map_size=8, image_size=32, images=60, num_classes=2,
      draws=10, repeats=2,
    )  # fmt: skip
  packages = ("scipy", "scikit-learn")
  result = frame.record("evaluate", measure(options), packages=packages)
  frame.finish(result, options.out)
  return 0


def measure(options: Options) -> list[frame.Row]:
  """Returns all rows, with the cost of one map and of one draw."""
  rows = clock.compare(_boxing(options), repeats=options.repeats)
  rows += clock.compare(_draws(options), repeats=options.repeats)
  return rows


def draw_maps(count: int, side: int) -> np.ndarray:
  """Draws `[count, side, side]` float32 in 0..1 of a few soft spots each."""
  rng = np.random.default_rng(0)
  noise = rng.standard_normal((count, side, side), np.float32)
  soft = scipy.ndimage.gaussian_filter(noise, (0, side / 16, side / 16))
  low, high = soft.min((1, 2), keepdims=True), soft.max((1, 2), keepdims=True)
  return (soft - low) / (high - low)


def _boxing(options) -> dict[str, Callable]:
  """All boxes, and one map in scipy's hands: every threshold labelled."""
  size = options.image_size
  # Maps are met one by one and not kept, so a few do for all.
  maps = draw_maps(3 * min(options.boxes, 32), options.map_size)
  box = np.array([0.2, 0.3, 0.6, 0.8]) * size

  def ours():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
      collector = LocalizationCollector(
        (size, size), released=options.released, executor=executor
      )
      for i in range(options.boxes):
        collector.add(
          image=f"{i}.png",
          patient=str(i),
          finding="Mass",
          boxes=box,
          maps={
            name: maps[(3 * i + j) % len(maps)] for j, name in enumerate(MAPS)
          },
        )
      return collector.table()

  def scipy_map():
    whole = scipy.ndimage.zoom(maps[0], size / options.map_size, order=1)
    for cut in np.quantile(whole, THRESHOLDS):
      labels, _ = scipy.ndimage.label(whole >= cut, np.ones((3, 3)))
      scipy.ndimage.find_objects(labels)
      np.bincount(labels.ravel())

  rules = 2 + 2 * options.released
  name = f"{options.boxes} boxes x {len(THRESHOLDS)} thresholds x {len(MAPS)} "
  return {
    f"{name}maps x {rules} rules, {size} px": ours,
    f"scipy, one map's components at {len(THRESHOLDS)} thresholds": scipy_map,
  }


def _draws(options) -> dict[str, Callable]:
  """AUC and average precision of all findings, in every draw."""
  rng = np.random.default_rng(1)
  shape = (options.images, options.num_classes)
  labels = rng.random(shape) < 0.1
  # Both kinds, however few images.
  labels[0], labels[1] = True, False
  scores = rng.standard_normal(shape) + labels
  patients = rng.integers(0, max(1, options.images // 9), options.images)

  def ours():
    draws = bootstrap.draw_patients(patients, draws=options.draws)
    return classification_draws(labels, scores, patients, draws)

  def sklearn_once():
    weights = rng.integers(1, 3, options.images)
    for truth, score in zip(labels.T, scores.T):
      sklearn.metrics.roc_auc_score(truth, score, sample_weight=weights)
      sklearn.metrics.average_precision_score(
        truth, score, sample_weight=weights
      )

  what = f"AUC and average precision, {options.images} x {options.num_classes}"
  return {
    f"{what}, {options.draws} draws": ours,
    f"{what}, scikit-learn, one draw": sklearn_once,
  }
