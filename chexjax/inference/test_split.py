"""Scores the test split: probabilities, maps and boxes, tables, pictures."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from chexjax import evaluation, messages
from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import Dataset, true_boxes
from chexjax.inference.forward import make_predict
from chexjax.inference.maps import MAPS, REGIONS, make_maps
from chexjax.models import ChexModel
from chexjax.runtime import compile_cache
from chexjax.runtime.sharding import shard_batch

UNTRAINED_REGIONS = tuple(f"untrained_{name}" for name in REGIONS)


def _drawn(draw, found) -> dict[str, np.ndarray]:
  """Returns an image's maps by name, those of the fresh head too."""
  saliency = found["saliency_logits"]
  maps = draw(saliency, *(found[name] for name in REGIONS if name in found))
  named = dict(zip(MAPS, maps))
  if UNTRAINED_REGIONS[0] in found:
    control = draw(saliency, *(found[name] for name in UNTRAINED_REGIONS))
    for name, heat in zip(MAPS, control):
      if name in evaluation.UNTRAINED:
        named[evaluation.UNTRAINED[name]] = heat
  return jax.device_get(named)


def score_test(
  model: ChexModel,
  variables: Any,
  mesh: Mesh,
  dataset: Dataset,
  *,
  size: int,
  batch_size: int,
  maps: str,
  names: list[str],
  stage: int = 3,
  recorder: Any = None,
) -> tuple[Any, Any, list[dict]]:
  """Runs the test split once.

  After stage 1 the detection head is untrained, and only the saliency map is
  scored. After the others the maps of a fresh head are scored too, as control
  rows. A `SplitRecorder` is told of every image and of every boxed case.

  Returns:
    The classification, the localisation table, and for every row of the
    table its image's index and its three maps (float16).
  """
  source = dataset.splits["test"]
  boxed = dataset.metadata["boxed_findings"]
  whole = stage > 1
  keep: tuple[str, ...] = ("saliency_logits",)
  if whole:
    keep += REGIONS
  until = 3 if whole else 1

  def make(keep, control):
    predict = make_predict(model, mesh, stage=until, keep=keep, control=control)
    return compile_cache.at_first_call(predict, repr((model, until, keep)))

  predict = make(keep, control=False)
  # Fresh heads cost more than a trained one, and few of NIH's films have a box.
  predict_boxed = make((*keep, *UNTRAINED_REGIONS), True) if whole else predict
  draw = make_maps(size, maps, whole=whole)
  rules = (
    evaluation.RELEASED_MAPS if maps == "released" else evaluation.DEFAULT_MAPS
  )
  drawn_names = (*MAPS, *evaluation.UNTRAINED.values()) if whole else MAPS[:1]
  rules = {name: rules[evaluation.trained_name(name)] for name in drawn_names}
  executor = ThreadPoolExecutor(os.cpu_count())
  collector = evaluation.LocalizationCollector(
    (size, size), maps=rules, executor=executor
  )
  labels, scores, cases = [], [], []
  done, total = 0, len(source)
  for batch in eval_batches(source, batch_size=batch_size):
    real = batch.mask > 0
    boxed_here = any(
      len(source.annotation(int(index))["objects"]["bbox"])
      for index in batch.index[real]
    )
    logits, found = (predict_boxed if boxed_here else predict)(
      variables, shard_batch(batch.image, mesh)
    )
    found = jax.device_get(found)
    labels.append(batch.labels[real])
    scores.append(np.asarray(logits.full)[real])
    for row in np.flatnonzero(real):
      index = int(batch.index[row])
      example = source[index]
      if recorder is not None:
        recorder.image(example, np.asarray(logits.full)[row])
      boxes = true_boxes(example, names, size)
      if not boxes:
        continue
      drawn = _drawn(draw, {name: x[row] for name, x in found.items()})
      # The other findings' boxes are only predicted: for mAP and RoDeO.
      for finding in dict.fromkeys([*boxes, *boxed]):
        boxes_of = boxes.get(finding, np.zeros((0, 4), np.float32))
        k = names.index(finding)
        heat = {name: drawn[name][k] for name in drawn_names}
        collector.add(
          image=example["file_name"].decode(),
          patient=int(example["patient_id"]),
          finding=finding,
          boxes=boxes_of,
          maps=heat,
        )
        if not len(boxes_of):
          continue
        shown = {n: heat[n] for n in evaluation.without_untrained(heat)}
        small = {n: np.asarray(m, np.float16) for n, m in shown.items()}
        cases += [{"index": index, "maps": small}] * len(boxes_of)
        if recorder is not None:
          recorder.case(example, finding, shown, rows=len(boxes_of))
    done += int(real.sum())
    messages.progress(f"test: {done}/{total} images", last=done == total)
  classification = evaluation.classify(
    np.concatenate(labels), np.concatenate(scores), names
  )
  table = collector.table()
  if recorder is not None:
    recorder.others = collector.others()
  executor.shutdown()
  return classification, table, cases
