"""The train step of a stage, as a configuration describes it."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import optax
from jax.sharding import Mesh

from chexjax import ops
from chexjax.runtime import compile_messages
from chexjax.systems import Model
from chexjax.training import setup
from chexjax.training.config import Config
from chexjax.training.moved_boxes import move_boxes
from chexjax.training.schedules import tau_schedule
from chexjax.training.steps import make_train_step


def stage_step(
  config: Config,
  model: Model,
  mesh: Mesh,
  tx: optax.GradientTransformation,
  weights: setup.ClassWeights,
  *,
  stage: int,
  steps: dict[int, int],
  train_size: int,
) -> Callable[..., Any]:
  """Build the train step of a stage; it is compiled when it is first called.

  Args:
    config: of the run.
    model: to be trained.
    mesh: with an axis `data`.
    tx: of the stage.
    weights: of the classes.
    stage: 1, 2 or 3.
    steps: of each stage.
    train_size: training images.

  Returns:
    As `make_train_step`.
  """
  options = getattr(config, f"stage{stage}")
  step = make_train_step(
    model,
    tx,
    mesh,
    stage=stage,
    beta_pos=weights.beta_pos,
    beta_neg=weights.beta_neg,
    partly_labelled=weights.partly_labelled,
    finding_factor=config.finding_factor,
    cls_scale=options.cls_scale,
    average=options.average,
    evidence=setup.evidence(config),
    augment=functools.partial(
      ops.augment, **dataclasses.asdict(config.augment)
    ),
    move_boxes=functools.partial(
      move_boxes,
      augment=config.augment,
      height=config.image_size,
      width=config.image_size,
    ),
    tau=tau_schedule(config, stage, steps),
    skip_nan=config.on_nan == "skip",
  )
  recipe = setup.recipe(config, stage, steps, train_size, weights)
  return compile_messages.aloud(step, f"stage {stage}", recipe)
