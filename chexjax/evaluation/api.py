"""Score any model in one call: its scores, and its maps or boxes."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from chexjax.evaluation.given_boxes import GIVEN, no_boxes, table_of_boxes
from chexjax.evaluation.localization_collector import LocalizationCollector
from chexjax.evaluation.localization_table import LocalizationTable
from chexjax.evaluation.measures.average_precision import Detections
from chexjax.evaluation.measures.classification import classify
from chexjax.evaluation.measures.heat_maps import DEFAULT_MAPS, MapRule
from chexjax.evaluation.outputs.formats import figures_csv, latex, markdown
from chexjax.evaluation.outputs.results import assemble
from chexjax.evaluation.protocols.bootstrap import DRAWS
from chexjax.evaluation.scored_images import Images, make_images

# An image, a finding, and the maps `[h, w]` of that pair by name.
Triple = tuple[str, str, Mapping[str, np.ndarray]]
MapsOrBoxes = Detections | Mapping[str, Mapping[str, np.ndarray]] | Iterable


@dataclasses.dataclass(frozen=True)
class Truth:
  """What is known of the films that are scored.

  Attributes:
    images: `[N]` names, all different.
    patients: `[N]`, whose they are: folds and intervals keep a patient
      together.
    findings: `[K]` names.
    labels: `[N, K]` of 0 and 1.
    boxes: image -> finding -> `[4]` or `[M, 4]` true boxes x1, y1, x2, y2 in
      pixels of the frame; images without boxes may be left out.
    frame: height and width of the frame, in pixels.
    boxed_findings: the findings that are localised; by default those of
      `findings` that have a box.
    dataset: what the results call the data.
    view: `[N]` `AP` or `PA`, or None: adds subgroups; so do the next two.
    sex: `[N]` `F` or `M`, or None.
    age: `[N]` years, or None.
  """

  images: Sequence[str]
  patients: Sequence[Any]
  findings: Sequence[str]
  labels: np.ndarray
  boxes: Mapping[str, Mapping[str, np.ndarray]]
  frame: tuple[int, int]
  boxed_findings: Sequence[str] | None = None
  dataset: str = "own"
  view: Sequence[str] | None = None
  sex: Sequence[str] | None = None
  age: Sequence[int] | None = None

  def localised(self) -> list[str]:
    """Return the findings that are localised."""
    if self.boxed_findings is not None:
      return list(self.boxed_findings)
    having = {f for of in self.boxes.values() for f in of}
    return [name for name in self.findings if name in having]

  def true_boxes(self, image: str, finding: str) -> np.ndarray:
    """Return the `[M, 4]` boxes of a pair, M = 0 without any."""
    box = self.boxes.get(image, {}).get(finding, np.zeros((0, 4)))
    return np.asarray(box, np.float64).reshape(-1, 4)


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """Every figure of a model, with its protocol.

  Attributes:
    results: the tree that `results.json` holds, see docs/results.md.
    images: the `Images` that were scored.
    table: the `LocalizationTable`: a row for every true box.
  """

  results: dict[str, Any]
  images: Images
  table: LocalizationTable

  def markdown(self, *, published: bool = False) -> str:
    """Return the paper's tables; `published` adds the published figures."""
    return markdown(self.results, published=published)

  def latex(self, *, published: bool = False) -> str:
    """Return the same tables for LaTeX."""
    return latex(self.results, published=published)

  def csv(self) -> str:
    """Return one line for every figure."""
    return figures_csv(self.results)


def evaluate(
  *,
  scores: np.ndarray,
  truth: Truth,
  maps_or_boxes: MapsOrBoxes | None = None,
  rules: Mapping[str, MapRule] | None = None,
  thresholds: Mapping[str, float] | None = None,
  draws: int = DRAWS,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
  provenance: Mapping[str, Any] | None = None,
  watch: Callable[..., None] | None = None,
) -> Evaluation:
  """Score a model's predictions; nothing is written.

  Args:
    scores: `[N, K]` in the order of `truth.images` and `truth.findings`,
      higher means more likely.
    truth: the labels and the true boxes.
    maps_or_boxes: `Detections` in pixels of the frame; or image -> map name ->
      `[K, h, w]` in the order of `truth.findings`; or, to stream what memory
      does not hold, triples of image, finding and map name -> `[h, w]`. Only
      films with true boxes need any, and every such film needs all its maps.
      None scores the baselines alone.
    rules: map name -> what its thresholds mean; by default those of `sal`,
      `det` and `mix`, and of any other name percentiles.
    thresholds: finding -> score from which on it counts as predicted; by
      default chosen on other patients.
    draws: draws of patients for the intervals; 0 for none.
    folds: of patients, for the cross-fitted thresholds.
    repeats: times that patients are dealt into folds.
    seed: of folds and draws.
    provenance: where the predictions are from, kept in the results.
    watch: told image, finding, maps and the number of true boxes of every
      pair with a true box, in the order of the table's rows.

  Returns:
    An `Evaluation`.

  Raises:
    ValueError: scores, maps or boxes are at fault; names the image and the
      finding.
  """
  images = make_images(
    truth.images,
    truth.patients,
    truth.labels,
    scores,
    truth.findings,
    view=truth.view,
    sex=truth.sex,
    age=truth.age,
  )
  extra: dict[str, Any]
  if maps_or_boxes is None or isinstance(maps_or_boxes, Detections):
    table = _answer_with_boxes(truth, maps_or_boxes)
    extra = {"boxes": maps_or_boxes, "components": (GIVEN,)}
    for image, finding in zip(table.image, table.finding):
      if watch is not None:
        watch(image, finding, {}, rows=1)
  else:
    collector = _collect_maps(truth, maps_or_boxes, rules, watch)
    table, extra = collector.table(), {"others": collector.others()}
  results = assemble(
    classify(images.labels, images.scores, images.names),
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
    **extra,
  )
  return Evaluation(results, images, table)


def _answer_with_boxes(
  truth: Truth, boxes: Detections | None
) -> LocalizationTable:
  patient = dict(zip(truth.images, map(str, truth.patients)))
  true = [
    (image, patient[image], finding, box)
    for image in truth.images
    for finding in sorted(truth.boxes.get(image, {}))
    for box in truth.true_boxes(image, finding)
  ]
  if boxes is not None:
    return table_of_boxes(true, boxes, truth.frame)
  empty = np.zeros(0, str)
  nothing = Detections(empty, empty, np.zeros((0, 4)), np.zeros(0))
  return no_boxes(table_of_boxes(true, nothing, truth.frame))


def _collect_maps(
  truth: Truth,
  maps: Any,
  rules: Mapping[str, MapRule] | None,
  watch: Callable[..., None] | None,
) -> LocalizationCollector:
  patient = dict(zip(truth.images, truth.patients))
  localised, missing = set(truth.localised()), _boxed_pairs(truth)
  collector: LocalizationCollector | None = None
  with ThreadPoolExecutor(os.cpu_count()) as executor:
    for image, finding, heat in _triples(truth, maps):
      if image not in patient:
        raise ValueError(f"maps of {image}, which is none of truth.images")
      if finding not in localised:
        continue
      if collector is None:
        given = DEFAULT_MAPS if rules is None else rules
        chosen = {
          n: given.get(n, MapRule("percentile", "minmax")) for n in heat
        }
        collector = LocalizationCollector(
          truth.frame, maps=chosen, executor=executor
        )
      boxes = truth.true_boxes(image, finding)
      collector.add(
        image=image,
        patient=patient[image],
        finding=finding,
        boxes=boxes,
        maps=heat,
      )
      missing.discard((image, finding))
      if len(boxes) and watch is not None:
        watch(image, finding, heat, rows=len(boxes))
    if missing:
      shown = ", ".join(f"{i} {f}" for i, f in sorted(missing)[:3])
      raise ValueError(
        f"{len(missing)} pairs with a true box have no maps: {shown}"
      )
    collector = collector or LocalizationCollector(truth.frame, maps={})
    collector.table()
  return collector


def _boxed_pairs(truth: Truth) -> set[tuple[str, str]]:
  return {
    (image, finding)
    for image in truth.images
    for finding in truth.boxes.get(image, {})
    if len(truth.true_boxes(image, finding))
  } & {(image, f) for image in truth.images for f in truth.localised()}


def _triples(truth: Truth, maps: Any) -> Iterator[Triple]:
  if not isinstance(maps, Mapping):
    yield from maps
    return
  for image, named in maps.items():
    for name, values in named.items():
      if len(values) != len(truth.findings):
        raise ValueError(
          f"{image}, map {name}: want [K, h, w] with K = "
          f"{len(truth.findings)}, got {list(np.shape(values))}"
        )
    for k, finding in enumerate(truth.findings):
      yield image, finding, {name: values[k] for name, values in named.items()}
