"""Scores the test split: probabilities, maps and boxes, tables, pictures."""

import os
import pathlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from chexjax import evaluation, ops
from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import Dataset
from chexjax.models import ChexModel
from chexjax.training.state import sharded
from chexjax.training.steps import make_predict
from chexjax.types import BOXED_FINDINGS

MAPS = ("sal", "det", "mix")


def make_classifier(
  model: ChexModel, mesh: Mesh, source: Any, *, stage: int, batch_size: int
):
  """Builds `classify(variables)`: AUCs of a split by the stage's logits.

  Stage 2 is judged by the crops' logits, since it leaves the full image's as
  they are.
  """
  predict = make_predict(model, mesh, stage=stage)

  def classify(variables, names):
    scores, labels = [], []
    for batch in eval_batches(source, batch_size=batch_size):
      images = jax.device_put(batch.image, sharded(mesh))
      logits = predict(variables, images)[0]
      real = batch.mask > 0
      chosen = logits.crop if stage == 2 else logits.full
      scores.append(np.asarray(chosen)[real])
      labels.append(batch.labels[real])
    return evaluation.classify(
      np.concatenate(labels), np.concatenate(scores), names
    )

  return classify


def make_maps(size: int, kind: str):
  """Builds the jitted maps of one (image, finding): sal, det, mix."""

  def paper(saliency, boxes, scores):
    det = ops.detection_map(boxes, scores, height=size, width=size)
    return jax.nn.sigmoid(saliency), det, ops.final_map(saliency, det)

  def released(saliency, boxes, scores):
    det = ops.released_detection_map(boxes, scores, height=size, width=size)
    mix = ops.released_final_map(saliency, det)
    return jax.nn.sigmoid(saliency), det, mix

  return jax.jit(jax.vmap({"paper": paper, "released": released}[kind]))


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
  recording: Any = None,
) -> tuple[Any, Any, list[dict]]:
  """Runs the test split once.

  A `Recording` is told of every image and of every boxed case.

  Returns:
    The classification, the localisation table, and for every row of the
    table its image's index and its three maps (float16).
  """
  source = dataset.splits["test"]
  keep = ("saliency_logits", "proposal_boxes", "proposal_scores")
  predict = make_predict(model, mesh, stage=3, keep=keep)
  draw = make_maps(size, maps)
  rules = (
    evaluation.RELEASED_MAPS if maps == "released" else evaluation.DEFAULT_MAPS
  )
  executor = ThreadPoolExecutor(os.cpu_count())
  collector = evaluation.LocalizationCollector(
    (size, size), maps=rules, executor=executor
  )
  labels, scores, cases = [], [], []
  done, total = 0, len(source)
  for batch in eval_batches(source, batch_size=batch_size):
    images = jax.device_put(batch.image, sharded(mesh))
    logits, found = predict(variables, images)
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
      for finding in dict.fromkeys([*boxes, *BOXED_FINDINGS]):
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


def draw_examples(
  folder: pathlib.Path,
  dataset: Dataset,
  table: Any,
  cases: list[dict],
  *,
  per_finding: int,
) -> int:
  """Draws some boxed cases of each finding, from best to worst by Mix IoU.

  Boxes are those of the cross-fitted thresholds; a finding with boxes of one
  patient only has none. `grid.png` shows one case per finding, the one that
  a quarter of its cases beat.

  Returns:
    How many pictures were written.
  """
  from chexjax.report.figures import Case, example_grid

  measures = evaluation.measure_table(table, BOXED_FINDINGS)
  chosen = {
    name: evaluation.chosen_boxes(table, measures, name, "crossfit")
    for name in MAPS
  }

  def case_of(row):
    heat = cases[row]["maps"].items()
    boxes = {n: chosen[n][row] for n in MAPS}
    return Case(
      image=dataset.splits["test"][cases[row]["index"]]["image"],
      maps={n: m.astype(np.float32) for n, m in heat},
      predicted={n: b for n, b in boxes.items() if np.isfinite(b).all()},
      true=table.true_box[row],
      title=f"{table.finding[row]}, {table.image[row]}",
    )

  finding_of = np.asarray(table.finding)
  best, count = [], 0
  for finding in BOXED_FINDINGS:
    rows = np.flatnonzero(finding_of == finding)
    if not len(rows):
      continue
    ious = np.array(
      [
        float(
          ops.boxes.iou(
            np.nan_to_num(chosen["mix"][r])[None], table.true_box[r][None]
          )[0, 0]
        )
        for r in rows
      ]
    )
    order = rows[np.argsort(-ious)]
    spread = np.linspace(0, len(order) - 1, min(per_finding, len(order)))
    for rank, place in enumerate(spread.round().astype(int)):
      case = case_of(order[place])
      example_grid(folder / f"{finding}_{rank + 1}.png", [case])
      count += 1
    best.append(case_of(order[len(order) // 4]))
  if best:
    example_grid(folder / "grid.png", best)
  return count
