"""Scores the test split: probabilities, maps and boxes, tables, pictures."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh

from chexjax import evaluation, ops
from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import Dataset, label_matrix
from chexjax.models import ChexModel
from chexjax.training.state import shard_batch
from chexjax.training.steps import make_predict
from experiments import programs

MAPS = ("sal", "det", "mix")


def make_classifier(
  model: ChexModel, mesh: Mesh, source: Any, *, stage: int, batch_size: int
):
  """Builds `classify(variables)`: AUCs of a split by the stage's logits.

  Stage 2 is judged by the crops' logits, since it leaves the full image's as
  they are.
  """
  predict = programs.at_first_call(
    make_predict(model, mesh, stage=stage), repr((model, stage))
  )
  labels = label_matrix(source)

  def classify(variables, names):
    scores = []
    for batch in eval_batches(
      source,
      batch_size=batch_size,
      process=jax.process_index(),
      num_processes=jax.process_count(),
    ):
      logits = predict(variables, shard_batch(batch.image, mesh))[0]
      chosen = logits.crop if stage == 2 else logits.full
      # Every process has the whole batch's, and comes to the same AUC.
      scores.append(multihost_utils.process_allgather(chosen, tiled=True))
    # The batches are in the source's order; what fills the last is cut off.
    return evaluation.classify(
      labels, np.concatenate(scores)[: len(source)], names
    )

  return classify


def make_maps(size: int, kind: str, *, whole: bool = True):
  """Builds the jitted maps of an image's findings: sal, and det and mix."""

  def saliency_alone(saliency):
    return (jax.nn.sigmoid(saliency),)

  def paper(saliency, boxes, scores):
    det = ops.detection_map(boxes, scores, height=size, width=size)
    return jax.nn.sigmoid(saliency), det, ops.final_map(saliency, det)

  def released(saliency, boxes, scores):
    det = ops.released_detection_map(boxes, scores, height=size, width=size)
    mix = ops.released_final_map(saliency, det)
    return jax.nn.sigmoid(saliency), det, mix

  drawn = {"paper": paper, "released": released}[kind]
  return jax.jit(jax.vmap(drawn if whole else saliency_alone))


def true_boxes(example: dict, names: list[str], size: int) -> dict:
  """Returns `{finding: [M, 4]}` in pixels of an example's objects."""
  found: dict[str, list] = {}
  objects = example["objects"]
  for box, label in zip(objects["bbox"], objects["label"]):
    y1, x1, y2, x2 = (float(v) * size for v in box)
    found.setdefault(names[int(label)], []).append([x1, y1, x2, y2])
  return {k: np.array(v, np.float32) for k, v in found.items()}


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
  recording: Any = None,
) -> tuple[Any, Any, list[dict]]:
  """Runs the test split once.

  After stage 1 the detection head is untrained, and only the saliency map is
  scored. A `Recording` is told of every image and of every boxed case.

  Returns:
    The classification, the localisation table, and for every row of the
    table its image's index and its three maps (float16).
  """
  source = dataset.splits["test"]
  boxed = dataset.metadata["boxed_findings"]
  whole = stage > 1
  keep: tuple[str, ...] = ("saliency_logits",)
  if whole:
    keep += ("proposal_boxes", "proposal_scores")
  until = 3 if whole else 1
  predict = programs.at_first_call(
    make_predict(model, mesh, stage=until, keep=keep),
    repr((model, until, keep)),
  )
  draw = make_maps(size, maps, whole=whole)
  rules = (
    evaluation.RELEASED_MAPS if maps == "released" else evaluation.DEFAULT_MAPS
  )
  rules = {name: rules[name] for name in (MAPS if whole else MAPS[:1])}
  executor = ThreadPoolExecutor(os.cpu_count())
  collector = evaluation.LocalizationCollector(
    (size, size), maps=rules, executor=executor
  )
  labels, scores, cases = [], [], []
  done, total = 0, len(source)
  for batch in eval_batches(source, batch_size=batch_size):
    logits, found = predict(variables, shard_batch(batch.image, mesh))
    found = jax.device_get(found)
    real = batch.mask > 0
    labels.append(batch.labels[real])
    scores.append(np.asarray(logits.full)[real])
    for row in np.flatnonzero(real):
      index = int(batch.index[row])
      example = source[index]
      if recording is not None:
        recording.image(example, np.asarray(logits.full)[row])
      boxes = true_boxes(example, names, size)
      if not boxes:
        continue
      drawn = jax.device_get(draw(*(found[name][row] for name in keep)))
      # The other findings' boxes are only predicted: for mAP and RoDeO.
      for finding in dict.fromkeys([*boxes, *boxed]):
        boxes_of = boxes.get(finding, np.zeros((0, 4), np.float32))
        k = names.index(finding)
        heat = {name: m[k] for name, m in zip(MAPS, drawn)}
        collector.add(
          image=example["file_name"].decode(),
          patient=int(example["patient_id"]),
          finding=finding,
          boxes=boxes_of,
          maps=heat,
        )
        if not len(boxes_of):
          continue
        small = {n: np.asarray(m, np.float16) for n, m in heat.items()}
        cases += [{"index": index, "maps": small}] * len(boxes_of)
        if recording is not None:
          recording.case(example, finding, heat, rows=len(boxes_of))
    done += int(real.sum())
    print(f"\rtest: {done}/{total} images", end="", flush=True)
  print()
  classification = evaluation.classify(
    np.concatenate(labels), np.concatenate(scores), names
  )
  table = collector.table()
  if recording is not None:
    recording.others = collector.others()
  executor.shutdown()
  return classification, table, cases
