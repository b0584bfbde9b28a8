"""Boxes moved with their augmented films."""

import dataclasses

import jax

from chexjax import ops
from chexjax.training.config import AugmentConfig

_GREY = ("contrast", "gamma", "noise", "cut_out")


def move_boxes(
  key: jax.Array,
  boxes: jax.Array,
  *,
  augment: AugmentConfig,
  height: int,
  width: int,
) -> jax.Array:
  """Move the boxes of a film that `ops.augment` has changed.

  Args:
    key: that the film was augmented with.
    boxes: `[..., 4]` in pixels of the film before; NaN stays NaN.
    augment: the ranges that the film was augmented in.
    height: of the film, in pixels.
    width: of the film, in pixels.

  Returns:
    `[..., 4]` in pixels of the augmented film, not clipped to it; see
    `ops.boxes.warp`.
  """
  ranges = dataclasses.asdict(augment)
  places = {name: x for name, x in ranges.items() if name not in _GREY}
  matrix = ops.augment_matrix(key, height=height, width=width, **places)
  return ops.boxes.warp(boxes, matrix, height=height, width=width)
