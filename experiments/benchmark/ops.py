"""RoIAlign, detection map and crops, beside the plain way to write them.

python -m experiments.benchmark ops
"""

import dataclasses
import functools
import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chexjax import ops
from chexjax.commands.options import parse
from experiments.benchmark import clock, frame


@dataclasses.dataclass(frozen=True)
class Options:
  """Measures the ops on the sizes that one image has in the model."""

  image_size: int = 512
  """Side of the image, in pixels; maps have a fourth of it."""
  num_classes: int = 14
  """Findings."""
  channels: int = 128
  """Channels of a finding's map."""
  crop_size: int = 64
  """Side of a crop, in pixels."""
  matrix: int = 2048
  """Side of the matrices that the machine's rates are measured with."""
  repeats: int = 5
  """Repeats of every row."""
  precision: clock.Precision = "float32"
  """How numbers are multiplied; on a CPU tf32 is float32."""
  out: pathlib.Path | None = None
  """JSON file to write."""
  toy: bool = False
  """As small as it goes, to see that it runs."""


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  options = parse(Options, argv, prog="benchmark ops")
  if options.toy:
    options = dataclasses.replace(
      options, image_size=32, num_classes=2, channels=3, crop_size=8,
      matrix=64, repeats=2,
    )  # fmt: skip
  result = frame.record("ops", measure(options), packages=("torch",))
  frame.finish(result, options.out)
  return 0


def measure(options: Options) -> list[frame.Row]:
  """Returns all rows, every group measured in turns."""
  dtype = clock.set_precision(options.precision)
  groups = (
    clock.machine_runs(size=options.matrix, dtype=dtype),
    _pooling(options, dtype),
    _detection(options),
    _crops(options),
  )
  rows = []
  for runs in groups:
    rows += clock.compare(runs, repeats=options.repeats)
  return clock.as_rates(rows, size=options.matrix)


def roi_align_gather(
  features: jax.Array, boxes: jax.Array, *, output_size: int = 5
) -> jax.Array:
  """Pools by reading four values a sample, as `roi_align` elsewhere does.

  Args:
    features: `[H, W, C]`, four pixels of the image a cell.
    boxes: `[N, 4]` inside the image, in its pixels.
    output_size: bins along each side, two samples each.

  Returns:
    `[N, output_size, output_size, C]`.
  """
  height, width, channels = features.shape
  count = 2 * output_size

  def taps(start, end, length):
    step = jnp.maximum(end - start, 1) / count
    at = start[:, None] + (jnp.arange(count) + 0.5) * step[:, None]
    at = jnp.clip(at, 0, length - 1)
    low = jnp.floor(at).astype(jnp.int32)
    return low, jnp.minimum(low + 1, length - 1), at - low

  x1, y1, x2, y2 = (boxes / 4).T
  top, bottom, fy = taps(y1, y2, height)
  left, right, fx = taps(x1, x2, width)

  def read(y, x):
    return features[y[:, :, None], x[:, None]]

  fy, fx = fy[:, :, None, None], fx[:, None, :, None]
  values = (
    read(top, left) * (1 - fy) * (1 - fx)
    + read(top, right) * (1 - fy) * fx
    + read(bottom, left) * fy * (1 - fx)
    + read(bottom, right) * fy * fx
  )
  shape = (-1, output_size, 2, output_size, 2, channels)
  return values.reshape(shape).mean((2, 4))


def _both(name: str, function: Callable, *args: Any) -> dict[str, Callable]:
  """Returns a function's forward pass, and that with all its gradients."""
  forward = jax.jit(function)
  with_gradient = jax.jit(
    jax.value_and_grad(
      lambda *args: (function(*args) ** 2).sum(),
      argnums=tuple(range(len(args))),
    )
  )
  return {
    f"{name}, forward": lambda: forward(*args),
    f"{name}, forward and gradient": lambda: with_gradient(*args),
  }


def _pooling(options, dtype) -> dict[str, Callable]:
  """RoIAlign of the 395 proposals on every finding's map."""
  side = options.image_size // 4
  shape = (options.num_classes, side, side, options.channels)
  maps = np.random.default_rng(0).standard_normal(shape, np.float32)
  boxes = ops.make_proposals(options.image_size)
  ours = jax.vmap(ops.roi_align_proposals)

  def by_class(pool):
    # All maps at once would take gigabytes.
    return lambda maps: jax.lax.map(lambda x: pool(x, jnp.asarray(boxes)), maps)

  features = jnp.asarray(maps, dtype)
  runs = _both("RoIAlign, fixed grid", ours, features)
  runs |= _both(
    "RoIAlign, general, two matrices a box", by_class(ops.roi_align), features
  )
  runs |= _both("RoIAlign, gather", by_class(roi_align_gather), features)
  if importlib.util.find_spec("torch") is not None:
    runs |= _torch_pooling(maps, boxes)
  return runs


def _torch_pooling(maps, boxes) -> dict[str, Callable]:
  from experiments.benchmark import torch_models

  x = torch_models.put(maps.transpose(0, 3, 1, 2)).contiguous()
  x.requires_grad_()
  places = torch_models.put(boxes)

  def forward():
    torch_models.roi_align(x.detach(), places)

  def gradient():
    x.grad = None
    torch_models.roi_align(x, places).square().sum().backward()

  name = "RoIAlign, torch grid_sample"
  return {
    f"{name}, forward": torch_models.waited(forward),
    f"{name}, forward and gradient": torch_models.waited(gradient),
  }


def _boxes(options) -> jax.Array:
  """Refined boxes `[K, 395, 4]`, moved by a tenth of their size."""
  size = options.image_size
  proposals = jnp.asarray(ops.make_proposals(size))
  shape = (options.num_classes, *proposals.shape)
  deltas = np.random.default_rng(1).normal(0, 0.1, shape).astype(np.float32)
  return ops.boxes.clip(
    ops.boxes.decode(jnp.asarray(deltas), proposals), height=size, width=size
  )


def _detection(options) -> dict[str, Callable]:
  """The detection maps of an image from all refined boxes."""
  boxes, size = _boxes(options), options.image_size
  scores = jax.random.normal(jax.random.key(0), boxes.shape[:2])
  side = {"height": size, "width": size}
  paper = jax.jit(jax.vmap(functools.partial(ops.detection_map, **side)))
  released = jax.jit(
    jax.vmap(functools.partial(ops.released_detection_map, **side))
  )
  corners, values = np.asarray(boxes / 4), np.asarray(scores)

  def box_by_box():
    maps = np.zeros((len(values), size // 4, size // 4), np.float32)
    for of, heat, value in zip(corners.round().astype(int), maps, values):
      for (x1, y1, x2, y2), score in zip(of, value):
        heat[y1:y2, x1:x2] += score
    return maps

  return {
    "detection map, paper, a fourth of the side": lambda: paper(boxes, scores),
    "detection map, released, full side": lambda: released(boxes, scores),
    "detection map, numpy box by box, a fourth of the side": box_by_box,
  }


def _crops(options) -> dict[str, Callable]:
  """A crop of each finding."""
  size = options.image_size
  image = np.random.default_rng(2).standard_normal((size, size, 3), np.float32)
  boxes = _boxes(options)[:, 200]
  runs: dict[str, Callable] = {}
  for name in ("bilinear", "gaussian"):
    crop = functools.partial(
      getattr(ops, f"crop_{name}"), size=options.crop_size
    )
    runs |= _both(
      f"crops, {name}", jax.vmap(crop, (None, 0)), jnp.asarray(image), boxes
    )
  if importlib.util.find_spec("torch") is None:
    return runs
  from experiments.benchmark import torch_models

  x = torch_models.put(image.transpose(2, 0, 1))[None]
  theta = np.zeros((len(boxes), 2, 3), np.float32)
  x1, y1, x2, y2 = np.asarray(boxes).T
  theta[:, 0, 0], theta[:, 1, 1] = (x2 - x1) / size, (y2 - y1) / size
  theta[:, 0, 2], theta[:, 1, 2] = (x1 + x2) / size - 1, (y1 + y2) / size - 1
  places = torch_models.put(theta)
  runs["crops, torch grid_sample, forward"] = torch_models.waited(
    lambda: torch_models.crops(x, places, options.crop_size)
  )
  return runs
