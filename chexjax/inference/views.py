"""One film seen in several ways, and the answers brought back and averaged.

A mirrored or moved film has its findings elsewhere; a map of it is mirrored or
moved back before it is averaged with the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from chexjax.types import MapOptions


class View(NamedTuple):
  """A way of seeing a film.

  Attributes:
    flip: whether it is mirrored left and right.
    down: pixels by which it is moved down.
    right: pixels by which it is moved to the right, after it is mirrored.
  """

  flip: bool = False
  down: int = 0
  right: int = 0

  def of(self, images: np.ndarray) -> np.ndarray:
    """Return the images as they are seen.

    Args:
      images: `[B, S, S, 1]`.

    Returns:
      The same shape; what comes in at a side repeats the outermost pixels.
    """
    if self.flip:
      images = images[:, :, ::-1]
    return _moved(images, self.down, self.right, axes=(1, 2))

  def back(self, heat: np.ndarray, size: int) -> np.ndarray:
    """Return a map of the seen film as a map of the film itself.

    Args:
      heat: `[..., h, w]` over the whole film.
      size: side of the film, in pixels.

    Returns:
      The same shape.
    """
    height, width = heat.shape[-2:]
    down = round(self.down * height / size)
    right = round(self.right * width / size)
    heat = _moved(heat, -down, -right, axes=(-2, -1))
    return heat[..., ::-1] if self.flip else heat

  def all_back(
    self, maps: Mapping[str, np.ndarray], size: int
  ) -> dict[str, np.ndarray]:
    """Return all maps of the seen film as maps of the film itself.

    Args:
      maps: name -> `[..., h, w]`.
      size: side of the film, in pixels.

    Returns:
      The maps by name, each as `back` returns it.
    """
    return {name: self.back(heat, size) for name, heat in maps.items()}


def views_of(options: MapOptions) -> list[View]:
  """Return all views that the options ask for, the film as it is first."""
  step = options.shift
  moves = [(0, 0)]
  if step:
    moves += [(step, 0), (-step, 0), (0, step), (0, -step)]
  flips = (False, True) if options.flip else (False,)
  return [View(flip, *move) for flip in flips for move in moves]


def mean_logits(logits: Sequence[np.ndarray]) -> np.ndarray:
  """Return the logits of the mean probability.

  Args:
    logits: of one shape, of several models or views.

  Returns:
    The same shape; a single one is returned as it is.
  """
  if len(logits) == 1:
    return logits[0]
  wide = [np.asarray(x, np.float64) for x in logits]
  mean = np.mean([1 / (1 + np.exp(-x)) for x in wide], 0)
  mean = np.clip(mean, 1e-12, 1 - 1e-12)
  return np.log(mean / (1 - mean)).astype(np.float32)


def mean_maps(
  maps: Iterable[Mapping[str, np.ndarray]],
) -> dict[str, np.ndarray]:
  """Return the mean of the maps of each name.

  Args:
    maps: name -> map `[..., h, w]` over the whole film, of several models or
      views; all have the same names.

  Returns:
    Name -> mean, in the shape that the first entry has; smaller maps are
    enlarged to it. Those of a single entry are returned as they are.
  """
  several = list(maps)
  if len(several) == 1:
    return dict(several[0])
  return {
    name: np.stack(
      [resized(each[name], first.shape[-2:]) for each in several]
    ).mean(0)
    for name, first in several[0].items()
  }


def resized(heat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
  """Return maps in another shape, interpolated linearly.

  Args:
    heat: `[..., h, w]` over the whole film.
    shape: the new `(h, w)`.

  Returns:
    `[..., *shape]`; the maps themselves where they have it.
  """
  if heat.shape[-2:] == shape:
    return heat
  flat = np.asarray(heat, np.float32).reshape(-1, *heat.shape[-2:])
  large = np.stack([cv2.resize(one, shape[::-1]) for one in flat])
  return large.reshape(*heat.shape[:-2], *shape)


def reduced(images: np.ndarray, side: int) -> np.ndarray:
  """Return films as a model of smaller input sees them.

  Args:
    images: `[B, S, S, 1]` uint8.
    side: divides S.

  Returns:
    `[B, side, side, 1]` uint8, means of blocks of pixels.
  """
  count, height = images.shape[:2]
  if height == side:
    return images
  blocks = images.reshape(count, side, height // side, side, -1)
  return np.rint(blocks.mean((2, 4))).astype(np.uint8)[..., None]


def _moved(
  x: np.ndarray, down: int, right: int, *, axes: tuple[int, int]
) -> np.ndarray:
  """Move an array along two axes; its outermost values follow."""
  for axis, step in zip(axes, (down, right)):
    if step:
      length = x.shape[axis]
      x = x.take(np.clip(np.arange(length) - step, 0, length - 1), axis)
  return x
