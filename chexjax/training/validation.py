"""Metrics on the validation split during training."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh

from chexjax import evaluation, ops
from chexjax.data import phantom
from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import Dataset, Source, label_matrix, true_boxes
from chexjax.models import for_platform
from chexjax.progress import Progress
from chexjax.runtime import compile_cache, compile_messages
from chexjax.runtime.sharding import replicated, shard_batch, sharded
from chexjax.systems import Model
from chexjax.training import datasets
from chexjax.training.config import Config
from chexjax.training.region_figures import region_figures

# Floats, None where undefined, and by finding such floats.
Figures = dict[str, Any]


def known_boxes(config: Config, dataset: Dataset) -> np.ndarray | None:
  """Return true boxes of the validation images; they are never trained on.

  The phantom has all of them, one's own set may have some, NIH's has none.

  Args:
    config: of the run.
    dataset: of the run.

  Returns:
    `[N, K, 4]` x1, y1, x2, y2 in pixels, at most one per image and finding,
    NaN where there is none. None if there is no box at all.
  """
  source = dataset.splits.get("validation")
  if source is None:
    return None
  drawn: dict[str, dict[str, list[float]]] = {}
  if config.data_dir is None:
    drawn = phantom.train_val_boxes(datasets.data_folder(config))
  names = list(dataset.metadata["findings"])
  result = np.full((len(source), len(names), 4), np.nan, np.float32)
  for row in range(len(source)):
    example = source.annotation(row)
    boxes = drawn.get(example["file_name"].decode(), {})
    for name, box in boxes.items():
      result[row, names.index(name)] = box
    for name, several in true_boxes(example, names, config.image_size).items():
      result[row, names.index(name)] = several[0]
  return result if np.isfinite(result).any() else None


def make_validation(
  model: Model,
  mesh: Mesh,
  source: Source,
  names: list[str],
  *,
  stage: int,
  batch_size: int,
  boxes: np.ndarray | None = None,
) -> Callable[[Any], Figures]:
  """Build the validation of a stage.

  Args:
    model: to be validated.
    mesh: with an axis `data`.
    source: the validation split.
    names: of the K findings.
    stage: 1, 2 or 3.
    batch_size: images at a time, a multiple of the mesh's devices.
    boxes: see `known_boxes`.

  Returns:
    A function of variables that returns figures by name, None where undefined:

    - `auc`: mean over findings, of the full images; not in stage 2, which
      does not change it. Each finding's is over the images where its label is
      known.
    - `crop_auc`: mean over findings, of the crops; from stage 2 on.
    - `auc_of`, `crop_auc_of`: the same of every finding.
    - `selection`: mean of these two; chooses the best step.
    - from stage 2 on those of `region_figures`: means over all pairs of an
      image and a finding that it has. Those named `iou_...` are means over
      findings of the images with a true box, and absent without any.
  """
  predict = compile_cache.at_first_call(
    _make_predict(model, mesh, stage),
    repr(("validation", model, stage)),
    compile_messages.told(f"validation of stage {stage}"),
  )
  labels = label_matrix(source)
  places = np.full((len(source), len(names), 4), np.nan, np.float32)
  if boxes is not None:
    places = boxes

  def validate(variables: Any) -> Figures:
    rows = []
    batches = eval_batches(
      source,
      batch_size=batch_size,
      process=jax.process_index(),
      num_processes=jax.process_count(),
    )
    with Progress("validation films", total=len(source)) as progress:
      for batch in batches:
        true = places[np.maximum(batch.index, 0)]
        inputs = shard_batch((batch.image, true), mesh)
        # Gathered, so that every process computes the same figures.
        found = predict(variables, *inputs)
        rows.append(multihost_utils.process_allgather(found, tiled=True))
        progress.add(min(batch_size, len(source) - progress.done))
    # Batches are in the source's order: the padding of the last is at the end.
    found = jax.tree.map(lambda *x: np.concatenate(x)[: len(source)], *rows)
    each = {
      name: _aucs(labels, logits, names)
      for name, logits in found["logits"].items()
    }
    aucs = {name: _mean(values) for name, values in each.items()}
    defined = [value for value in aucs.values() if value is not None]
    figures: Figures = aucs | {"selection": _mean(defined)}
    for name, values in each.items():
      figures[f"{name}_of"] = dict(zip(names, values))
    return figures | _region_means(found["regions"], labels, places)

  return validate


def _aucs(
  labels: np.ndarray, logits: np.ndarray, names: list[str]
) -> list[float | None]:
  """Return each finding's AUC over the images where its label is known."""
  known = ~np.isnan(labels)
  if known.all():
    return list(evaluation.classify(labels, logits, names).auc.values())
  result = []
  for k, name in enumerate(names):
    rows = known[:, k]
    one = evaluation.classify(
      labels[rows, k : k + 1], logits[rows, k : k + 1], [name]
    )
    result.append(one.auc[name])
  return result


def _make_predict(model: Model, mesh: Mesh, stage: int) -> Callable[..., Any]:
  """Build the jitted function from a batch to logits and region figures."""

  @for_platform(
    mesh.devices.flat[0].platform, devices=mesh.size, tf32=model.tf32
  )
  def predict(
    variables: Any, images: jax.Array, true_boxes: jax.Array
  ) -> dict[str, dict[str, jax.Array]]:
    height, width = images.shape[1:3]
    logits, found = model.apply(variables, ops.normalize(images), stage=stage)
    kept = {} if stage == 2 else {"auc": logits.full}
    if stage == 1:
      return {"logits": kept, "regions": {}}
    figures = jax.vmap(
      jax.vmap(
        lambda *x: region_figures(*x, height=height, width=width),
      )
    )(found["proposal_scores"], found["proposal_boxes"], true_boxes)
    return {"logits": kept | {"crop_auc": logits.crop}, "regions": figures}

  whole, split = replicated(mesh), sharded(mesh)
  return jax.jit(
    predict, in_shardings=(whole, split, split), out_shardings=split
  )


def _region_means(
  figures: Mapping[str, np.ndarray], labels: np.ndarray, boxes: np.ndarray
) -> Figures:
  """Average `[N, K]` figures over positive pairs, `iou_...` over boxed ones."""
  positive = labels > 0
  boxed = np.isfinite(boxes).all(-1)
  means: Figures = {}
  for name, values in figures.items():
    if not name.startswith("iou_"):
      means[name] = _mean(values[positive])
    elif boxed.any():
      means[name] = _mean(
        values[boxed[:, k], k].mean()
        for k in range(boxed.shape[1])
        if boxed[:, k].any()
      )
  return means


def _mean(values: Iterable[float | None]) -> float | None:
  defined = [float(value) for value in values if value is not None]
  return float(np.mean(defined)) if defined else None
