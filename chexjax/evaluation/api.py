"""Score any model in one call: its scores, and its maps or boxes."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np

from chexjax.evaluation.collected.detector_boxes import (
  GIVEN,
  TrueRow,
  table_of_detections,
  table_without_predictions,
)
from chexjax.evaluation.collected.localization_collector import (
  LocalizationCollector,
  PairMaps,
)
from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import make_images
from chexjax.evaluation.collected.truth import Truth
from chexjax.evaluation.measures.detections import Detections
from chexjax.evaluation.measures.heat_maps import DEFAULT_MAPS, MapRule
from chexjax.evaluation.outputs.evaluation import Evaluation
from chexjax.evaluation.outputs.results_json import assemble
from chexjax.evaluation.protocols.bootstrap import DRAWS

# Image -> map name -> `[K, h, w]`, map name -> `[N, K, h, w]`, or a stream of
# pairs of image and finding.
AllMaps = (
  Mapping[str, Mapping[str, np.ndarray]]
  | Mapping[str, np.ndarray]
  | Iterable[PairMaps]
)
MapsOrBoxes = Detections | np.ndarray | AllMaps
Watch = Callable[..., None]


def evaluate(
  *,
  scores: np.ndarray | Mapping[str, np.ndarray] | None,
  truth: Truth,
  maps_or_boxes: MapsOrBoxes | None = None,
  rules: Mapping[str, MapRule] | None = None,
  thresholds: Mapping[str, float] | None = None,
  draws: int = DRAWS,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
  provenance: Mapping[str, Any] | None = None,
  watch: Watch | None = None,
) -> Evaluation:
  """Score a model's predictions; nothing is written.

  Args:
    scores: `[N, K]` in the order of `truth.images` and `truth.findings`,
      higher means more likely; or finding -> `[N]`, for some findings; or None
      for none. What needs the scores that are not there is undefined.
    truth: the labels and the true boxes.
    maps_or_boxes: maps, as map name -> `[N, K, h, w]` in the order of
      `truth.images` and `truth.findings`; or as image -> map name ->
      `[K, h, w]`; or, to stream what memory does not hold, as triples of image,
      finding and map name -> `[h, w]`. Or boxes in pixels of the frame, as
      `[N, K, 4]` with NaN where there is none (a box's score is then that of
      its finding), or as `Detections`. Only films with true boxes need any,
      and every such film needs all its maps. None scores the baselines alone.
    rules: map name -> how it is read; by default `DEFAULT_MAPS`, and
      percentiles for any other name.
    thresholds: finding -> score from which on it counts as predicted; by
      default chosen on other patients.
    draws: draws of patients for the intervals; 0 for none.
    folds: number of folds of patients, for the cross-fitted thresholds.
    repeats: how many times patients are dealt into folds.
    seed: of folds and draws.
    provenance: where the predictions are from, kept in the results.
    watch: is called with image, finding, maps and `rows=1` for every pair with
      a true box, which is one row of the table, in the order of the rows.

  Returns:
    The `Evaluation`: all figures, the images and the table of boxes.

  Raises:
    ValueError: if scores, maps or boxes are at fault; it names the image and
      the finding.

  Example:
    >>> rng = np.random.default_rng(0)
    >>> labels = (rng.random((40, 1)) < 0.5).astype(np.float32)
    >>> boxes = np.where(labels[..., None], [8.0, 8.0, 40.0, 40.0], np.nan)
    >>> truth = Truth(
    ...   images=[f"{i}.png" for i in range(40)], patients=range(40),
    ...   findings=["Mass"], labels=labels, boxes=boxes, frame=(64, 64),
    ... )
    >>> found = evaluate(
    ...   scores=labels + rng.random((40, 1)), truth=truth,
    ...   maps_or_boxes=boxes + [0, 0, 0, 8], draws=0,
    ... )
    >>> found.results["auc"]["mean"] > 0.95
    True
    >>> iou = found.results["localization"]["box"]["crossfit"]["iou"]
    >>> round(iou["mean"], 2)
    0.8
  """
  columns, unscored = _score_columns(truth, scores)
  images = make_images(
    truth.images,
    truth.patients,
    truth.labels,
    columns,
    truth.findings,
    view=truth.view,
    sex=truth.sex,
    age=truth.age,
    unscored=unscored,
  )
  if isinstance(maps_or_boxes, np.ndarray):
    maps_or_boxes = _detections(truth, maps_or_boxes, images.scores)
  given: dict[str, Any]
  if maps_or_boxes is None or isinstance(maps_or_boxes, Detections):
    table = _answer_with_boxes(truth, maps_or_boxes, watch)
    given = {"boxes": maps_or_boxes, "components": (GIVEN,)}
  else:
    collector = _collect_maps(truth, maps_or_boxes, rules, watch)
    table, given = collector.table(), {"others": collector.others()}
  results = assemble(
    images.classification(),
    table,
    dataset=truth.dataset,
    provenance=provenance or {},
    findings=truth.localised(),
    images=images,
    thresholds=thresholds,
    draws=draws,
    folds=folds,
    repeats=repeats,
    seed=seed,
    **given,
  )
  return Evaluation(results, images, table)


def _score_columns(
  truth: Truth, scores: np.ndarray | Mapping[str, np.ndarray] | None
) -> tuple[np.ndarray, list[str]]:
  """Return `[N, K]` scores, and the findings that have none."""
  if scores is not None and not isinstance(scores, Mapping):
    return scores, []
  given = scores or {}
  strangers = sorted(given.keys() - set(truth.findings))
  if strangers:
    raise ValueError(
      f"scores of {', '.join(strangers)}, which truth.findings does not have"
    )
  columns = np.full((len(truth.images), len(truth.findings)), np.nan)
  for name, values in given.items():
    if np.shape(values) != (len(truth.images),):
      raise ValueError(
        f"scores of {name}: want [{len(truth.images)}], got "
        f"{list(np.shape(values))}"
      )
    columns[:, list(truth.findings).index(name)] = values
  return columns, [name for name in truth.findings if name not in given]


def _detections(
  truth: Truth, boxes: np.ndarray, scores: np.ndarray
) -> Detections:
  """Turn `[N, K, 4]` boxes, NaN where there is none, into `Detections`."""
  want = (len(truth.images), len(truth.findings), 4)
  if boxes.shape != want:
    raise ValueError(
      f"boxes must be [N, K, 4] = {want}, got {boxes.shape}; maps are given by "
      "name, as {'map': [N, K, h, w]}"
    )
  rows, columns = np.nonzero(np.isfinite(boxes).all(-1))
  return Detections(
    np.asarray(truth.images, str)[rows],
    np.asarray(truth.findings, str)[columns],
    boxes[rows, columns].astype(np.float64),
    scores[rows, columns],
  )


def _answer_with_boxes(
  truth: Truth, boxes: Detections | None, watch: Watch | None
) -> LocalizationTable:
  """Answer every boxed pair with a box of the model, or with none."""
  patient = dict(zip(truth.images, map(str, truth.patients)))
  true = [
    TrueRow(image, patient[image], finding, mine)
    for image in truth.images
    for finding in sorted(truth.named_boxes.get(image, {}))
    if len(mine := truth.true_boxes(image, finding))
  ]
  for row in true:
    if watch is not None:
      watch(row.image, row.finding, {}, rows=1)
  if boxes is None:
    return table_without_predictions(true, truth.frame)
  return table_of_detections(true, boxes, truth.frame)


def _collect_maps(
  truth: Truth,
  maps: AllMaps,
  rules: Mapping[str, MapRule] | None,
  watch: Watch | None,
) -> LocalizationCollector:
  """Score all maps, and check that every true box has some."""
  with ThreadPoolExecutor(os.cpu_count()) as executor:
    collector, seen = _stream(truth, maps, rules, watch, executor)
    missing = sorted(truth.boxed_pairs() - seen)
    if missing:
      shown = ", ".join(f"{i} {f}" for i, f in missing[:3])
      raise ValueError(
        f"{len(missing)} pairs with a true box have no maps: {shown}"
      )
    # The error of a bad map is raised here, while the executor still runs.
    collector.table()
  return collector


def _stream(
  truth: Truth,
  maps: AllMaps,
  rules: Mapping[str, MapRule] | None,
  watch: Watch | None,
  executor: Executor,
) -> tuple[LocalizationCollector, set[tuple[str, str]]]:
  """Fill a collector; return it and the pairs that had maps."""
  patient = dict(zip(truth.images, truth.patients))
  localised, seen = set(truth.localised()), set()
  # A film whose boxes are all of other findings is none of the boxed films.
  boxed = {image for image, _ in truth.boxed_pairs()}
  collector: LocalizationCollector | None = None
  for image, finding, heat in _triples(truth, maps):
    if image not in patient:
      raise ValueError(f"maps of {image}, which is none of truth.images")
    if finding not in localised or image not in boxed:
      continue
    if collector is None:
      # Only the first maps show which names there are.
      collector = LocalizationCollector(
        truth.frame, maps=_rules_of(heat, rules), executor=executor
      )
    boxes = truth.true_boxes(image, finding)
    collector.add(
      image=image,
      patient=patient[image],
      finding=finding,
      boxes=boxes,
      maps=heat,
    )
    seen.add((image, finding))
    if len(boxes) and watch is not None:
      watch(image, finding, heat, rows=1)
  return collector or LocalizationCollector(truth.frame, maps={}), seen


def _rules_of(
  names: Iterable[str], rules: Mapping[str, MapRule] | None
) -> dict[str, MapRule]:
  given = DEFAULT_MAPS if rules is None else rules
  return {n: given.get(n, MapRule("percentile", "minmax")) for n in names}


def _by_image(
  truth: Truth, maps: Mapping[str, Any]
) -> Mapping[str, Mapping[str, np.ndarray]]:
  """Return image -> map name -> `[K, h, w]` of either kind of mapping."""
  if all(isinstance(named, Mapping) for named in maps.values()):
    return maps
  for name, values in maps.items():
    if np.ndim(values) != 4 or len(values) != len(truth.images):
      raise ValueError(
        f"map {name}: want [N, K, h, w] with N = {len(truth.images)}, got "
        f"{list(np.shape(values))} (boxes are given without a name)"
      )
  return {
    image: {name: values[i] for name, values in maps.items()}
    for i, image in enumerate(truth.images)
  }


def _triples(truth: Truth, maps: AllMaps) -> Iterator[PairMaps]:
  if not isinstance(maps, Mapping):
    yield from maps
    return
  for image, named in _by_image(truth, maps).items():
    for name, values in named.items():
      if len(values) != len(truth.findings):
        raise ValueError(
          f"{image}, map {name}: want [K, h, w] with K = "
          f"{len(truth.findings)}, got {list(np.shape(values))}"
        )
    for k, finding in enumerate(truth.findings):
      yield image, finding, {name: values[k] for name, values in named.items()}
