"""Forward passes: backbones, the whole model, prediction with maps and boxes.

python -m experiments.benchmark model
"""

import dataclasses
import functools
import importlib.util
import pathlib
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from chexjax import ops
from chexjax.commands.options import parse
from chexjax.inference.boxes import cut_box
from chexjax.inference.forward import make_forward
from chexjax.models import DenseNet, ResNet, for_platform
from chexjax.training import setup
from chexjax.training.config import as_json
from chexjax.types import FINDINGS
from chexjax.weights.model_info import ModelInfo
from experiments.benchmark import clock, frame, subject

# Of the map's pixels; any other takes as long.
_PERCENTILE = 0.9


@dataclasses.dataclass(frozen=True)
class Options:
  """Measures forward passes in evaluation mode."""

  preset: Literal["phantom", "paper", "released"] = "released"
  """Configuration whose model is measured."""
  image_size: int = 512
  """Side of the images, in pixels."""
  batch_size: int = 1
  """Images at a time."""
  num_classes: int = 14
  """Findings."""
  precision: clock.Precision = "float32"
  """Type of the convolutions; on a CPU tf32 is float32."""
  matrix: int = 2048
  """Side of the matrices that the machine's rates are measured with."""
  repeats: int = 5
  """Repeats of every row."""
  out: pathlib.Path | None = None
  """JSON file to write."""
  toy: bool = False
  """As small as it goes, to see that it runs."""


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = parse(Options, argv, prog="benchmark model")
  if options.toy:
    options = dataclasses.replace(
      options,
      image_size=subject.TOY_SIZE,
      num_classes=2,
      matrix=64,
      repeats=2,
    )
  result = frame.record("model", measure(options), packages=("torch",))
  frame.finish(result, options.out)
  return 0


def measure(options: Options) -> list[frame.Row]:
  """Returns all rows, measured in turns."""
  dtype = clock.set_precision(options.precision)
  config = subject.configuration(
    options.preset, toy=options.toy, size=options.image_size
  )
  config = dataclasses.replace(config, precision=options.precision)
  runs = clock.machine_runs(size=options.matrix, dtype=dtype)
  runs |= _backbones(config, options) | _whole(config, options)
  runs |= torch_backbones(config, options, gradient=False)
  rows = clock.compare(runs, repeats=options.repeats)
  for row in list(rows):
    if row.name.startswith("whole model"):
      rates = tuple(1000 * options.batch_size / ms for ms in row.values)
      rows.append(frame.Row(row.name, "images/s", rates))
  return clock.as_rates(rows, size=options.matrix)


def names(config, options) -> tuple[str, str]:
  """Returns what the two backbones' rows are called."""
  batch, sizes = options.batch_size, config.model
  return (
    f"DenseNet {'-'.join(map(str, sizes.block_sizes))}, "
    f"{config.image_size} px, batch {batch}",
    f"ResNet {'-'.join(map(str, sizes.crop_stages))}, "
    f"{sizes.crop_size} px, {batch * options.num_classes} crops",
  )


def _backbones(config, options) -> dict[str, Callable]:
  sizes, batch = config.model, options.batch_size
  dtype = jnp.dtype(clock.type_of(config.precision))
  tf32 = config.precision == "tf32"
  dense = DenseNet(
    sizes.block_sizes, sizes.growth, sizes.bn_size, sizes.stem, dtype=dtype
  )
  res = ResNet(sizes.crop_stages, sizes.crop_width, dtype=dtype)
  shapes = (
    (batch, config.image_size, config.image_size, 3),
    (batch * options.num_classes, sizes.crop_size, sizes.crop_size, 3),
  )
  runs: dict[str, Callable] = {}
  here = for_platform(jax.default_backend(), tf32=tf32)
  for name, module, shape in zip(names(config, options), (dense, res), shapes):
    x = jnp.asarray(np.random.default_rng(0).standard_normal(shape, np.float32))
    variables = subject.random_variables(module, x, train=False)
    apply = jax.jit(here(functools.partial(module.apply, train=False)))
    runs[f"ours, {name}"] = functools.partial(apply, variables, x)
  return runs


def torch_backbones(config, options, *, gradient) -> dict[str, Callable]:
  """Returns the same two networks in torch; nothing without torch."""
  if importlib.util.find_spec("torch") is None:
    return {}
  from experiments.benchmark import torch_models

  sizes, batch = config.model, options.batch_size
  dense = torch_models.densenet(
    sizes.block_sizes, sizes.growth, sizes.bn_size, sizes.stem
  )
  res = torch_models.resnet(sizes.crop_stages, sizes.crop_width)
  shapes = (
    (batch, 3, config.image_size, config.image_size),
    (batch * options.num_classes, 3, sizes.crop_size, sizes.crop_size),
  )
  runs: dict[str, Callable] = {}
  for name, module, shape in zip(names(config, options), (dense, res), shapes):
    runs |= torch_models.module_runs(
      name, module, shape, precision=options.precision, gradient=gradient
    )
  return runs


def _whole(config, options) -> dict[str, Callable]:
  """The whole model, and what `chexjax predict` computes of an image."""
  model = setup.make_model(config, options.num_classes)
  size = config.image_size
  images = subject.example(model, options.batch_size, size)["image"]
  variables = subject.random_variables(model, jnp.zeros((1, size, size, 3)))
  info = ModelInfo(
    findings=FINDINGS[: options.num_classes],
    preset=config.maps,
    image_size=size,
    stage=3,
    options=as_json(config)["model"],
    source="random weights",
  )
  here = for_platform(jax.default_backend(), tf32=model.tf32)
  logits = jax.jit(here(lambda v, x: model.apply(v, ops.normalize(x))[0]))
  predict = make_forward(model, info)

  def boxes():
    found = jax.device_get(predict(variables, images))
    return [
      cut_box(heat, _PERCENTILE, size=size, original=(size, size))
      for of in found["maps"]["mix"]
      for heat in of
    ]

  name = f"whole model, {options.preset}, {size} px, batch {options.batch_size}"
  return {
    f"{name}: logits": lambda: logits(variables, images),
    f"{name}: logits, maps and boxes": boxes,
  }
