"""Every step and prediction of a tiny model, traced for an accelerator."""

import dataclasses
import functools

import jax

from experiments.benchmark import subject
from experiments.benchmark.ahead import steps

_SMALL = {"block_sizes": (1, 1), "crop_stages": (1,)}


@functools.cache  # Tracing takes a second.
def traced(step, precision, *, devices=1, remat=False, platform="tpu"):
  """Returns JAX's stage of a step, `predict` or a prediction of two classes.

  Args:
    step: a stage's number, or `predict`.
    precision: of the run.
    devices: of this process that share the batch, an image each.
    remat: of the run.
    platform: that it is traced for.
  """
  config = subject.configuration("paper", toy=True)
  config = dataclasses.replace(
    config,
    precision=precision,
    remat=remat,
    model=dataclasses.replace(config.model, **_SMALL),
  )
  return steps.traced(
    config,
    step,
    jax.devices()[:devices],
    images=2 * devices,
    num_classes=2,
    platform=platform,
  )
