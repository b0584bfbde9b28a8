"""The test split, run once: probabilities, maps, boxes and pictures."""

import functools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from chexjax import evaluation
from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import Dataset, Source, true_boxes
from chexjax.inference.maps import MapPlan, map_plan
from chexjax.inference.members import Member, Ready
from chexjax.inference.picked_films import PickedFilms
from chexjax.inference.placer import Placer, make_placer
from chexjax.inference.placing import PLACE, placed_name
from chexjax.inference.split_recorder import SplitRecorder
from chexjax.inference.views import View, mean_logits, mean_maps, views_of
from chexjax.progress import Progress
from chexjax.systems import Model
from chexjax.types import AS_DRAWN, Batch, MapOptions

# For every model and view the logits `[B, K]` of the full images, the
# intermediates by name, `[B, ...]` each, the plan of the model's maps, and the
# view.
Seen = Sequence[tuple[np.ndarray, Mapping[str, np.ndarray], MapPlan, View]]


def score_test(
  model: Model,
  variables: Any,
  mesh: Mesh,
  dataset: Dataset,
  *,
  size: int,
  batch_size: int,
  maps: str,
  names: list[str],
  stage: int = 3,
  threshold_means: str | None = None,
  grad_cam: bool = False,
  recorder: SplitRecorder | None = None,
  members: Sequence[Member] = (),
  options: MapOptions = AS_DRAWN,
) -> tuple[evaluation.Classification, evaluation.LocalizationTable, list[dict]]:
  """Run the test split once and measure probabilities, maps and boxes.

  After stage 1 the detection head is untrained and only the saliency map is
  scored. After the other stages, and of systems, the maps of freshly
  initialised heads are scored too, as control rows.

  Args:
    model: to be scored.
    variables: of the model.
    mesh: with an axis `data`.
    dataset: must have a split `test`.
    size: side of the images, in pixels.
    batch_size: images at a time, a multiple of the mesh's devices.
    maps: "paper" or "released": whose maps and thresholds.
    names: of the K findings.
    stage: last stage that the variables were trained in: 1, 2 or 3.
    threshold_means: "percentile" or "absolute", for every map; None for the
      meanings that belong to `maps`.
    grad_cam: whether Grad-CAM and Grad-CAM++ of our own model are scored too.
    recorder: receives every image and every boxed case.
    members: further models, of the same findings and stages, of films as large
      or an integral part: probabilities and maps are the means of all.
    options: views that are averaged too, and placed maps, which are rows of
      their own. A prior needs a split `train`, `centre_by_auc` a split
      `validation`.

  Returns:
    The classification, the localisation table, and for every row of the table
    the `index` of its image and its trained `maps` (name -> float16).
  """
  source = dataset.splits["test"]
  make_plan = functools.partial(
    map_plan, kind=maps, whole=stage > 1, grad_cam=grad_cam
  )
  last = min(stage, model.last_stage)
  ensemble = [
    Ready(each, mesh, make_plan(each.model, each.size), stage=last)
    for each in (Member(model, variables, size), *members)
  ]
  plan = ensemble[0].plan
  views = views_of(options)
  rules = _map_rules(plan, threshold_means, options)
  executor = ThreadPoolExecutor(os.cpu_count())
  scores = _SplitScores(
    source,
    names,
    dataset.metadata["boxed_findings"],
    size,
    plan=plan,
    collector=evaluation.LocalizationCollector(
      (size, size), maps=rules, executor=executor
    ),
    recorder=recorder,
    place=make_placer(ensemble, dataset, options, batch_size=batch_size),
  )

  def seen(batch: Batch, *, all_maps: bool) -> Seen:
    answers = []
    for view in views:
      images = view.of(batch.image)
      for each in ensemble:
        logits, found = each.run(images, maps=all_maps)
        answers.append(
          (np.asarray(logits), jax.device_get(found), each.plan, view)
        )
    return answers

  with Progress("scoring test films", total=len(source)) as progress:
    for batch in eval_batches(source, batch_size=batch_size):
      scores.add_batch(batch, seen(batch, all_maps=_any_box(source, batch)))
      progress.add(int((batch.mask > 0).sum()))
  with Progress("scoring: waiting for the last maps"):
    result = scores.finish()
  if recorder is not None:
    wrong = recorder.wrong_calls(names, result[1])
    picked = PickedFilms(source, files=wrong)
    for batch in eval_batches(picked, batch_size=batch_size):
      scores.show_wrong(batch, seen(batch, all_maps=True), picked, wrong)
  executor.shutdown()
  return result


def _map_rules(
  plan: MapPlan, meaning: str | None, options: MapOptions
) -> dict[str, evaluation.MapRule]:
  """Return the maps to score, each with the rule of its trained map.

  The model's own main map stays the last of the trained ones: it is the one
  that pictures are chosen by.
  """
  controls = [evaluation.untrained_name(name) for name in plan.controlled]
  rules = {
    name: plan.rules[evaluation.trained_name(name)]
    for name in (*plan.rules, *controls)
  }
  placed = [placed_name(name) for name in rules] if options.places else []
  if options.prior:
    placed = [PLACE, *placed]
  rules = (
    dict.fromkeys(placed, evaluation.MapRule("percentile", "minmax")) | rules
  )
  if meaning is None:
    return rules
  return {name: rule._replace(meaning=meaning) for name, rule in rules.items()}


def _any_box(source: Source, batch: Batch) -> bool:
  """Return whether an image of a batch has a true box."""
  return any(
    len(source.annotation(int(index))["objects"]["bbox"])
    for index in batch.index[batch.mask > 0]
  )


def _draw_maps(
  plan: MapPlan, found: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
  """Return an image's maps by name, those of fresh heads included."""
  return jax.device_get(plan.named(found) | plan.controls(found))


class _SplitScores:
  """Collects what the batches of a split add to its results."""

  def __init__(
    self,
    source: Source,
    names: list[str],
    boxed: list[str],
    size: int,
    *,
    plan: MapPlan,
    collector: evaluation.LocalizationCollector,
    recorder: SplitRecorder | None,
    place: Placer | None = None,
  ):
    """Start without any image.

    Args:
      source: the split.
      names: of the K findings.
      boxed: findings that have boxes in this dataset.
      size: side of the images, in pixels.
      plan: of the maps to score.
      collector: measures the maps.
      recorder: see `score_test`.
      place: of an image's maps the placed ones; None for none.
    """
    self._place = place
    self._source, self._names, self._boxed = source, names, boxed
    self._size, self._plan = size, plan
    self._collector, self._recorder = collector, recorder
    self._labels: list[np.ndarray] = []
    self._logits: list[np.ndarray] = []
    self._cases: list[dict] = []

  def add_batch(self, batch: Batch, seen: Seen) -> None:
    """Add the images of a batch, padding left out.

    Args:
      batch: of the split.
      seen: what the models say of it.
    """
    real = batch.mask > 0
    logits = mean_logits([each[0] for each in seen])
    self._labels.append(batch.labels[real])
    self._logits.append(logits[real])
    for row in np.flatnonzero(real):
      index = int(batch.index[row])
      example = self._source[index]
      if self._recorder is not None:
        self._recorder.image(example, logits[row])
      boxes = true_boxes(example, self._names, self._size)
      if boxes:
        self._add_boxed(index, example, boxes, self._maps(seen, int(row)))

  def show_wrong(
    self,
    batch: Batch,
    seen: Seen,
    films: Source,
    wrong: Mapping[str, Sequence[str]],
  ) -> None:
    """Give the recorder maps of `films`: of the `wrong` findings of each."""
    assert self._recorder is not None
    for row in np.flatnonzero(batch.mask > 0):
      example = films[int(batch.index[row])]
      maps = self._maps(seen, int(row))
      for finding in wrong[example["file_name"].decode()]:
        k = self._names.index(finding)
        shown = {n: maps[n][k] for n in evaluation.without_untrained(maps)}
        self._recorder.wrong_call(example, finding, shown)

  def _maps(self, seen: Seen, row: int) -> dict[str, np.ndarray]:
    """Return all maps of an image, of the image as it is."""
    maps = mean_maps(
      view.all_back(
        _draw_maps(plan, {name: x[row] for name, x in found.items()}),
        self._size,
      )
      for _, found, plan, view in seen
    )
    if self._place is None:
      return maps
    return maps | self._place(maps)

  def _add_boxed(
    self,
    index: int,
    example: dict[str, Any],
    boxes: dict[str, np.ndarray],
    maps: dict[str, np.ndarray],
  ) -> None:
    """Add the maps of an image that has a true box."""
    # mAP and RoDeO also count the boxes predicted for all other findings.
    for finding in dict.fromkeys([*boxes, *self._boxed]):
      k = self._names.index(finding)
      heat = {name: of[k] for name, of in maps.items()}
      true = boxes.get(finding, np.zeros((0, 4), np.float32))
      self._collector.add(
        image=example["file_name"].decode(),
        patient=int(example["patient_id"]),
        finding=finding,
        boxes=true,
        maps=heat,
      )
      if not len(true):
        continue
      shown = {n: heat[n] for n in evaluation.without_untrained(heat)}
      small = {n: np.asarray(m, np.float16) for n, m in shown.items()}
      self._cases.append({"index": index, "maps": small})
      if self._recorder is not None:
        self._recorder.case(example, finding, shown, rows=1)

  def finish(
    self,
  ) -> tuple[
    evaluation.Classification, evaluation.LocalizationTable, list[dict]
  ]:
    """Return the results of `score_test`."""
    classification = evaluation.classify(
      np.concatenate(self._labels), np.concatenate(self._logits), self._names
    )
    table = self._collector.table()
    if self._recorder is not None:
      self._recorder.others = self._collector.others()
    return classification, table, self._cases
