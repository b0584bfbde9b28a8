"""The jitted train step of each stage."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh

from chexjax import ops
from chexjax.models import Logits, for_platform
from chexjax.runtime.sharding import replicated, sharded
from chexjax.systems import Model, OneStageModel
from chexjax.training.config import EvidenceOptions
from chexjax.training.evidence import evidence_loss
from chexjax.training.state import TRAINED, Averaging, TrainState
from chexjax.training.system_loss import system_loss
from chexjax.types import Batch

Metrics = dict[str, jax.Array]


def stage_loss(
  logits: Logits,
  labels: jax.Array,
  mask: jax.Array,
  *,
  stage: int,
  beta_pos: jax.Array,
  beta_neg: jax.Array,
  cls_scale: float = 1.0,
  partly_labelled: bool = False,
) -> tuple[jax.Array, Metrics]:
  """Add the losses that a stage trains: loss_CLS, loss_RPN, or both.

  Args:
    logits: `[B, K]` each; `crop` is not read in stage 1.
    labels: `[B, K]` in 0..1; NaN where not known, if `partly_labelled`.
    mask: `[B]`, how much an example weighs; 0 for padding.
    stage: 1, 2 or 3.
    beta_pos: `[K]` weights of `balance_weights`.
    beta_neg: `[K]` weights of `balance_weights`.
    cls_scale: factor on loss_CLS (released: 10 in stage 1).
    partly_labelled: whether pairs of an example and a class with a label of NaN
      take no part. Known when the step is traced, so that the program for whole
      labels, and with it every bit of its results, does not depend on it.

  Returns:
    The scalar loss, and by name its parts `loss_cls` and `loss_rpn` and the
    `loss`; means over examples and classes, or over their known pairs.
  """

  def mean_bce(x: Any) -> jax.Array:
    if partly_labelled:
      return _mean_known_bce(x, labels, mask, beta_pos, beta_neg)
    loss = ops.balanced_bce(x, labels, beta_pos=beta_pos, beta_neg=beta_neg)
    return (loss.mean(-1) * mask).sum() / jnp.maximum(mask.sum(), 1)

  parts = {}
  if stage != 2:
    parts["loss_cls"] = cls_scale * mean_bce(logits.full)
  if stage != 1:
    parts["loss_rpn"] = mean_bce(logits.crop)
  loss = sum(parts.values(), jnp.zeros(()))
  return loss, parts | {"loss": loss}


def make_train_step(
  model: Model,
  tx: optax.GradientTransformation,
  mesh: Mesh,
  *,
  stage: int,
  beta_pos: jax.Array,
  beta_neg: jax.Array,
  cls_scale: float = 1.0,
  partly_labelled: bool = False,
  finding_factor: float = 1.0,
  evidence: EvidenceOptions | None = None,
  augment: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
  move_boxes: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
  tau: Callable[[jax.Array], jax.Array] = lambda step: jnp.ones(()),
  skip_nan: bool = False,
  average: float = 0.0,
  platform: str | None = None,
) -> Callable[[TrainState, Batch, jax.Array], tuple[TrainState, Metrics]]:
  """Build a jitted `step(state, batch, key) -> state, metrics`.

  The batch is sharded along the mesh's `data` axis. The state is replicated
  and donated. Gradients are computed only for parameters that the stage trains.

  Args:
    model: whose variables the state holds.
    tx: optimizer of the trained parameters.
    mesh: with an axis `data`. Its devices need not be at hand.
    stage: 1, 2 or 3.
    beta_pos: see `stage_loss`.
    beta_neg: see `stage_loss`.
    cls_scale: see `stage_loss`.
    partly_labelled: see `stage_loss`.
    finding_factor: how much an image with any class weighs in the losses of
      logits, of one without. Regions' evidence is not weighed.
    evidence: how regions are weighed from stage 2 on; None if scores and boxes
      learn only from the loss of the crops.
    augment: of one image, `(key, [H, W, 1]) -> [H, W, 1]`, 0..255.
    move_boxes: `(key, [K, M, 4]) -> [K, M, 4]`, in pixels, of the boxes of an
      image that `augment` has changed with the same key; needed with it where a
      batch has boxes.
    tau: temperature at a step of this stage.
    skip_nan: whether a step with a loss or gradient that is not finite changes
      nothing except `state.step`. Its metrics are not finite all the same.
    average: decay of the moving average of parameters and statistics, which is
      then what the state holds (see `Averaging`); less in the first steps, so
      that the start is soon forgotten. 0 for none.
    platform: that the step is lowered for, if not the mesh's.

  Returns:
    The step. `key` is folded with `state.step`, so that a resumed run draws
    the same random numbers. The metrics are the losses and `grad_norm`, which
    is not finite if any gradient is not.
  """

  @for_platform(
    platform or mesh.devices.flat[0].platform,
    devices=mesh.size,
    tf32=model.tf32,
  )
  def step(
    state: TrainState, batch: Batch, key: jax.Array
  ) -> tuple[TrainState, Metrics]:
    keys = jax.random.split(jax.random.fold_in(key, state.step), 4)
    augment_key, region_key, dropout_key, evidence_key = keys
    images, boxes = batch.image, batch.boxes
    if augment is not None:
      image_keys = jax.random.split(augment_key, len(images))
      images = jax.vmap(augment)(image_keys, images)
      if boxes is not None:
        if move_boxes is None:
          raise ValueError("boxes that are not moved with their images")
        boxes = jax.vmap(move_boxes)(image_keys, boxes)
    if boxes is not None:
      height, width = images.shape[1:3]
      boxes = boxes / jnp.array([width, height, width, height])
    images = ops.normalize(images)
    weights = batch.mask
    if finding_factor != 1:
      found_any = (batch.labels > 0).any(-1)
      weights = weights * jnp.where(found_any, finding_factor, 1)

    trained = {k: state.params[k] for k in TRAINED[stage]}
    batch_stats, opt_state = state.batch_stats, state.opt_state
    if average:
      trained, batch_stats = opt_state.params, opt_state.batch_stats
      opt_state = opt_state.opt_state

    def loss_fn(trained: Any) -> tuple[jax.Array, tuple[Metrics, Any]]:
      variables = {
        "params": state.params | trained,
        "batch_stats": batch_stats,
      }
      (logits, found), updates = model.apply(
        variables,
        images,
        train=True,
        stage=stage,
        tau=tau(state.step),
        mutable=["batch_stats"],
        rngs={"region": region_key, "dropout": dropout_key},
      )
      if isinstance(model, OneStageModel):
        loss, metrics = system_loss(
          model.definition,
          logits.full,
          found,
          batch.labels,
          weights,
          beta_pos=beta_pos,
          beta_neg=beta_neg,
          cls_scale=cls_scale,
          boxes=boxes,
        )
        return loss, (metrics, updates["batch_stats"])
      loss, metrics = stage_loss(
        logits,
        batch.labels,
        weights,
        stage=stage,
        beta_pos=beta_pos,
        beta_neg=beta_neg,
        cls_scale=cls_scale,
        partly_labelled=partly_labelled,
      )
      if evidence is not None and stage > 1:
        labels = batch.labels * batch.mask[:, None]
        if partly_labelled:
          # No region is asked to hold a finding that is not known.
          labels = jnp.nan_to_num(labels)
        more, parts = evidence_loss(
          evidence_key, model, variables, images, labels, found, evidence
        )
        loss += more
        metrics |= parts | {"loss": loss}
      return loss, (metrics, updates["batch_stats"])

    grads, (metrics, stats) = jax.grad(loss_fn, has_aux=True)(trained)
    updates, opt_state = tx.update(grads, opt_state, trained)
    trained = optax.apply_updates(trained, updates)
    stats = batch_stats | stats
    if average:
      opt_state = Averaging(opt_state, trained, stats)
      trained, stats = _averaged(
        {k: state.params[k] for k in trained},
        state.batch_stats,
        trained,
        stats,
        decay=average,
        step=state.step,
      )
    metrics["grad_norm"] = _norm(grads)
    after = TrainState(
      step=state.step + 1,
      params=state.params | trained,
      batch_stats=stats,
      opt_state=opt_state,
    )
    if skip_nan:
      finite = jnp.isfinite(metrics["loss"] + metrics["grad_norm"])
      after = jax.tree.map(
        lambda new, old: jnp.where(finite, new, old),
        after,
        dataclasses.replace(state, step=after.step),
      )
    return after, metrics

  whole = replicated(mesh)
  return jax.jit(
    step,
    in_shardings=(whole, sharded(mesh), whole),
    out_shardings=(whole, whole),
    donate_argnums=0,
  )


def _averaged(
  params: Any,
  batch_stats: Any,
  new_params: Any,
  new_stats: Any,
  *,
  decay: float,
  step: jax.Array,
) -> tuple[Any, Any]:
  """Move averages of parameters and statistics towards the new ones."""
  share = 1 - jnp.minimum(decay, (1 + step) / (10 + step))
  moved: tuple[Any, Any] = jax.tree.map(
    lambda old, new: old + share * (new - old),
    (params, batch_stats),
    (new_params, new_stats),
  )
  return moved


def _mean_known_bce(
  logits: jax.Array,
  labels: jax.Array,
  mask: jax.Array,
  beta_pos: jax.Array,
  beta_neg: jax.Array,
) -> jax.Array:
  """Return the mean loss of the pairs whose label is not NaN, 0 without any."""
  known = ~jnp.isnan(labels)
  weights = known * mask[:, None]
  # The label is replaced before the loss, because 0 times NaN is NaN.
  loss = ops.balanced_bce(
    logits, jnp.where(known, labels, 0), beta_pos=beta_pos, beta_neg=beta_neg
  )
  loss = jnp.where(weights > 0, loss * weights, 0)
  return loss.sum() / jnp.maximum(weights.sum(), 1)


def _norm(tree: Any) -> jax.Array:
  """Return the norm of all leaves together, as `optax.global_norm`."""
  # XLA shares this concatenation with the one in `optax.flatten`.
  flat = jnp.concatenate([jnp.reshape(x, [-1]) for x in jax.tree.leaves(tree)])
  return jnp.sqrt(jnp.vdot(flat, flat))
