"""The programs that are compiled, traced and lowered on shapes alone."""

import dataclasses
import functools
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.inference.forward import make_forward
from chexjax.runtime import operation_count
from chexjax.runtime.sharding import make_mesh, replicated
from chexjax.training import schedules, setup
from chexjax.training.config import Config, as_json
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step
from chexjax.types import FINDINGS, Batch
from chexjax.weights.model_info import ModelInfo

PREDICT = "predict"
STEPS = ("1", "2", "3", PREDICT)
_STEPS_OF_A_STAGE = dict.fromkeys((1, 2, 3), 1000)


class Lowered(NamedTuple):
  """A program that is ready to be compiled.

  Attributes:
    program: JAX's stage.
    least: products of all devices together, their operands moved once.
    images: of all devices together.
    devices: that run it.
    seconds: that tracing and lowering took.
  """

  program: Any
  least: operation_count.Work
  images: int
  devices: int
  seconds: float


def traced(
  config: Config,
  step: str,
  devices: Sequence[jax.Device],
  images: int,
  num_classes: int = len(FINDINGS),
  platform: str | None = None,
) -> Any:
  """Traces what a run or `predict` jits, without any array.

  Args:
    config: of the run.
    step: the number of a stage, or `predict`, which takes one device.
    devices: that share the batch.
    images: of the batch.
    num_classes: findings.
    platform: that it is lowered for, if not the devices'.
  """
  model = setup.make_model(config, num_classes)
  platform = platform or devices[0].platform
  if step == PREDICT:
    return _predict(config, model, devices[0], images, platform)
  return _train(config, model, devices, int(step), images, platform)


def lower(
  config: Config, step: str, devices: Sequence[jax.Device], batch: int
) -> Lowered:
  """Lowers a program for devices that need not be at hand.

  Args:
    config: of the run.
    step: see `traced`.
    devices: see `traced`.
    batch: images of each device.
  """
  began = time.monotonic()
  if step == PREDICT:
    devices = devices[:1]
  images = batch * len(devices)
  found = traced(config, step, devices, images)
  program = found.lower()
  seconds = time.monotonic() - began
  # A kernel of our own may read once what several products share.
  plain = traced(config, step, devices, images, platform="tpu")
  least = operation_count.count(plain.jaxpr.jaxpr, constant_products=True)
  return Lowered(program, least, images, len(devices), seconds)


def _train(config, model, devices, stage, images, platform):
  size, classes = config.image_size, model.num_classes
  options = getattr(config, f"stage{stage}")
  tx = setup.make_tx(config, stage, 1000, 1000)

  def start():
    variables = model.init(jax.random.key(0), jnp.zeros((1, size, size, 3)))
    return create_state(variables, tx, stage=stage)

  step: Any = make_train_step(
    model,
    tx,
    make_mesh(devices),
    stage=stage,
    beta_pos=jnp.full(classes, 0.9),
    beta_neg=jnp.full(classes, 0.1),
    cls_scale=options.cls_scale,
    average=options.average,
    evidence=setup.evidence(config),
    augment=functools.partial(
      ops.augment, **dataclasses.asdict(config.augment)
    ),
    tau=schedules.tau_schedule(config, stage, _STEPS_OF_A_STAGE),
    skip_nan=config.on_nan == "skip",
    platform=platform,
  )
  shape = jax.ShapeDtypeStruct
  batch = Batch(
    image=shape((images, size, size, 1), jnp.uint8),
    labels=shape((images, classes), jnp.float32),
    mask=shape((images,), jnp.float32),
    index=shape((images,), jnp.int32),
  )
  key = jax.eval_shape(lambda: jax.random.key(0))
  return step.trace(jax.eval_shape(start), batch, key)


def _predict(config, model, device, images, platform):
  size = config.image_size
  info = ModelInfo(
    findings=FINDINGS[: model.num_classes],
    preset=config.maps,
    image_size=size,
    stage=3,
    options=as_json(config)["model"],
    source="shapes alone",
  )
  variables = jax.eval_shape(
    lambda: model.init(jax.random.key(0), jnp.zeros((1, size, size, 3)))
  )
  films = jax.ShapeDtypeStruct((images, size, size, 1), jnp.uint8)
  place = replicated(make_mesh([device]))
  args = jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place),
    (variables, films),
  )
  forward: Any = make_forward(model, info, platform=platform)
  return forward.trace(*args)
