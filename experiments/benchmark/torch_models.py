"""The yardsticks in plain torch: DenseNet, ResNet and RoIAlign of our sizes.

As a PyTorch user writes them, with random weights.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def _norm_conv(inputs, outputs, kernel):
  return nn.Sequential(
    nn.BatchNorm2d(inputs),
    nn.LeakyReLU(0.1),
    nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
  )


class _DenseLayer(nn.Module):
  def __init__(self, inputs, growth, bn_size):
    super().__init__()
    self.narrow = _norm_conv(inputs, bn_size * growth, 1)
    self.wide = _norm_conv(bn_size * growth, growth, 3)

  def forward(self, x):
    return torch.cat([x, self.wide(self.narrow(x))], 1)


def _stem(channels):
  return [
    nn.Conv2d(3, channels, 7, 2, 3, bias=False),
    nn.BatchNorm2d(channels),
    nn.LeakyReLU(0.1),
    nn.MaxPool2d(3, 2, 1),
  ]


def densenet(
  block_sizes: Sequence[int], growth: int, bn_size: int, stem: int
) -> nn.Module:
  """Builds a DenseNet up to its last norm."""
  layers, channels = _stem(stem), stem
  for number, size in enumerate(block_sizes, 1):
    for _ in range(size):
      layers.append(_DenseLayer(channels, growth, bn_size))
      channels += growth
    if number < len(block_sizes):
      layers += [_norm_conv(channels, channels // 2, 1), nn.AvgPool2d(2)]
      channels //= 2
  return nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.LeakyReLU(0.1))


class _BasicBlock(nn.Module):
  def __init__(self, inputs, outputs, stride):
    super().__init__()
    self.body = nn.Sequential(
      nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
      nn.BatchNorm2d(outputs),
      nn.LeakyReLU(0.1),
      nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
      nn.BatchNorm2d(outputs),
    )
    self.short = nn.Identity()
    if stride != 1 or inputs != outputs:
      self.short = nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, stride, bias=False),
        nn.BatchNorm2d(outputs),
      )

  def forward(self, x):
    return F.leaky_relu(self.body(x) + self.short(x), 0.1)


def resnet(stage_sizes: Sequence[int], width: int) -> nn.Module:
  """Builds a ResNet of basic blocks up to its last map."""
  layers, channels = _stem(width), width
  for stage, size in enumerate(stage_sizes):
    for block in range(size):
      outputs = width * 2**stage
      stride = 2 if stage and not block else 1
      layers.append(_BasicBlock(channels, outputs, stride))
      channels = outputs
  return nn.Sequential(*layers)


def roi_align(
  maps: torch.Tensor, boxes: torch.Tensor, *, output_size: int = 5
) -> torch.Tensor:
  """Pools boxes that lie inside the map, two samples a bin side.

  Args:
    maps: `[K, C, h, w]`.
    boxes: `[N, 4]` in pixels of the image; four of them a cell of the map.
    output_size: bins along each side.

  Returns:
    `[K, N, C, P, P]`.
  """
  height, width = maps.shape[2:]
  count = 2 * output_size

  def places(start, end, length):
    step = (end - start).clamp(min=1) / count
    at = (
      start[:, None]
      + (torch.arange(count, device=maps.device) + 0.5) * (step[:, None])
    )
    return (at + 0.5) * 2 / length - 1

  x1, y1, x2, y2 = (boxes / 4).T
  y = places(y1, y2, height)[:, :, None].expand(-1, -1, count)
  x = places(x1, x2, width)[:, None].expand(-1, count, -1)
  grid = torch.stack([x, y], -1).reshape(1, -1, count, 2)
  read = F.grid_sample(
    maps,
    grid.expand(len(maps), -1, -1, -1),
    padding_mode="border",
    align_corners=False,
  )
  pooled = F.avg_pool2d(read, 2)
  return pooled.unflatten(2, (len(boxes), output_size)).transpose(1, 2)


def put(values: Any) -> torch.Tensor:
  """Moves an array to the device."""
  return torch.from_numpy(np.array(values)).to(DEVICE)


def waited(run: Callable[[], Any]) -> Callable[[], None]:
  """Returns `run` with the wait for the device in it."""

  def call() -> None:
    run()
    if DEVICE == "cuda":
      torch.cuda.synchronize()

  return call


def module_runs(
  name: str, module: nn.Module, shape: Sequence[int], *, precision: str,
  gradient: bool,
) -> dict[str, Callable[[], None]]:  # fmt: skip
  """Returns a module's forward pass, or with its gradient, each way of torch.

  Args:
    name: of the rows.
    module: to be measured.
    shape: of the input, `[B, 3, H, W]`.
    precision: "float32", "tf32" or "bfloat16".
    gradient: whether the gradient of all parameters is computed too.

  Returns:
    Eager; on a GPU also channels-last and `torch.compile`.
  """
  torch.backends.cudnn.allow_tf32 = precision != "float32"
  torch.backends.cuda.matmul.allow_tf32 = precision != "float32"
  module = module.to(DEVICE).train(gradient)

  def run_of(network, x):
    def run():
      with (
        torch.set_grad_enabled(gradient),
        torch.autocast(DEVICE, torch.bfloat16, precision == "bfloat16"),
      ):
        y = network(x)
      if gradient:
        module.zero_grad()
        y.float().square().mean().backward()

    return waited(run)

  x = torch.randn(*shape, device=DEVICE)
  runs = {f"torch eager, {name}": run_of(module, x)}
  if DEVICE == "cuda":
    # A copy, since the layout is that of the weights.
    last: Any = copy.deepcopy(module)
    last = last.to(memory_format=torch.channels_last)
    z = x.to(memory_format=torch.channels_last)
    runs[f"torch channels-last, {name}"] = run_of(last, z)
    runs[f"torch.compile channels-last, {name}"] = run_of(
      torch.compile(last), z
    )
  return runs


def crops(image: torch.Tensor, theta: torch.Tensor, size: int) -> torch.Tensor:
  """Reads boxes of `[1, C, H, W]`, given as `[K, 2, 3]`, bilinearly."""
  shape = [len(theta), image.shape[1], size, size]
  grid = F.affine_grid(theta, shape, align_corners=False)
  return F.grid_sample(
    image.expand(len(theta), -1, -1, -1),
    grid,
    padding_mode="border",
    align_corners=False,
  )
