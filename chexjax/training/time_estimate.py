"""An estimate of a run's duration, before its first step."""

import time

import jax
import jax.numpy as jnp

from chexjax.models import for_platform
from chexjax.runtime import compile_cache, operation_count
from chexjax.systems import Model

# Speed relative to a matrix product, measured with `--config=phantom` on 2 CPU
# cores. For other devices it is a guess.
EFFICIENCY = 0.14
# Work of a gradient step, in forward passes of the trained modules.
GRADIENT = 3


def matmul_rate(size: int = 1024, *, tf32: bool = False) -> float:
  """Measure the speed of a float32 matrix product on one device, in FLOP/s.

  Args:
    size: side of the matrices.
    tf32: whether it is multiplied as under `--precision=tf32`.
  """
  x = jnp.ones((size, size))
  here = for_platform(jax.default_backend(), tf32=tf32)
  product = jax.jit(here(jnp.matmul))
  product(x, x).block_until_ready()
  began = time.perf_counter()
  for _ in range(4):
    y = product(x, x)
  y.block_until_ready()
  return 4 * 2 * size**3 / (time.perf_counter() - began)


def forward_flops(model: Model, image_size: int, stage: int) -> float:
  """Count the operations of one image's forward pass; the count is cached.

  Args:
    model: to count.
    image_size: side, in pixels.
    stage: 1 counts the classification module only.

  Returns:
    FLOPs of its matrix products and convolutions.
  """
  return compile_cache.kept(
    lambda: _forward_flops(model, image_size, stage),
    repr(("operations", model, image_size, stage)),
  )


def _forward_flops(model: Model, image_size: int, stage: int) -> float:
  image = jax.ShapeDtypeStruct((1, image_size, image_size, 3), jnp.float32)
  variables = jax.eval_shape(lambda x: model.init(jax.random.key(0), x), image)
  forward = jax.make_jaxpr(lambda v, x: model.apply(v, x, stage=stage)[0])
  return operation_count.count(forward(variables, image).jaxpr).flops


def seconds(
  model: Model,
  *,
  image_size: int,
  train_images: dict[int, int],
  eval_images: dict[int, int],
  regions: float = 0.0,
) -> float:
  """Estimate the seconds of training and evaluation, from counted operations.

  Args:
    model: to be trained.
    image_size: side, in pixels.
    train_images: stage -> images that its steps see.
    eval_images: stage -> images that its evaluations see.
    regions: regions weighed per training image from stage 2 on; each costs as
      much as classifying one more image.

  Returns:
    Seconds on all devices.
  """
  first = forward_flops(model, image_size, 1)
  whole = first
  if max(train_images) > 1:
    whole = forward_flops(model, image_size, 3)
  step = {
    1: GRADIENT * first,
    2: first + GRADIENT * (whole - first) + regions * first,
    3: GRADIENT * whole + regions * first,
  }
  flops = sum(count * step[stage] for stage, count in train_images.items())
  flops += sum(
    count * (first if stage == 1 else whole)
    for stage, count in eval_images.items()
  )
  rate = matmul_rate(tf32=model.tf32)
  return flops / (EFFICIENCY * rate * jax.device_count())
