"""Every public op that has array arguments, as a function of these alone."""

import inspect
from functools import partial

import jax
import jax.numpy as jnp

from chexjax import ops

KEY = jax.random.key(0)
SIDES = {"height": 16, "width": 16}


class Boxes(tuple):
  """The shape of boxes; `(4,)` and `(4, 4)` are shapes of other things too."""

  __slots__ = ()


def box_coding(boxes, anchors):
  """Encode boxes of x, y, width - 1, height - 1: no side is 0."""
  least = jnp.array([0, 0, 1, 1])
  return ops.boxes.encode(
    ops.boxes.from_xywh(boxes + least), ops.boxes.from_xywh(anchors + least)
  )


def warped_boxes(boxes, matrix):
  """Warp by a matrix that is not singular where its argument is constant."""
  return ops.boxes.warp(boxes, matrix + jnp.eye(2, 3), **SIDES)


def curved_head(features):
  """Score two classes; the second derivative is not 0 either."""
  return jnp.stack([jnp.exp(features).mean(), jnp.square(features).sum()])


BOX, BOX_ROWS = Boxes((4,)), Boxes((3, 4))
IMAGE, MAP, ROW = (16, 16, 1), (4, 4), (5,)
# name -> function of arrays, the arrays' shapes.
CASES = {
  "boxes.area": (ops.boxes.area, [BOX]),
  "boxes.iou": (ops.boxes.iou, [BOX_ROWS, Boxes((2, 4))]),
  "boxes.clip": (partial(ops.boxes.clip, height=8, width=8), [BOX]),
  "boxes.decode": (ops.boxes.decode, [(3, 4), BOX_ROWS]),
  "boxes.encode": (box_coding, [(3, 4), (3, 4)]),
  "boxes.warp": (warped_boxes, [BOX_ROWS, (2, 3)]),
  "boxes.to_xywh": (ops.boxes.to_xywh, [BOX]),
  "boxes.from_xywh": (ops.boxes.from_xywh, [BOX]),
  "boxes.from_normalized_yxyx": (
    partial(ops.boxes.from_normalized_yxyx, **SIDES), [BOX]),
  "boxes.to_normalized_yxyx": (
    partial(ops.boxes.to_normalized_yxyx, **SIDES), [BOX]),
  "crop_bilinear": (partial(ops.crop_bilinear, size=3), [IMAGE, BOX]),
  "crop_gaussian": (partial(ops.crop_gaussian, size=3), [IMAGE, BOX]),
  "erase_region": (partial(ops.erase_region, cells=3), [IMAGE, BOX]),
  "interpolation_matrix": (
    partial(ops.interpolation_matrix, length=8), [ROW]),
  "roi_align": (ops.roi_align, [(4, 4, 2), BOX_ROWS]),
  "roi_align_proposals": (ops.roi_align_proposals, [(4, 4, 2)]),
  "saliency_scores": (ops.saliency_scores, [MAP]),
  "grad_cam": (partial(ops.grad_cam, curved_head), [(4, 4, 2)]),
  "grad_cam_plus_plus": (
    partial(ops.grad_cam_plus_plus, curved_head), [(4, 4, 2)]),
  "noisy_or_pool": (ops.noisy_or_pool, [MAP]),
  "lse_pool": (ops.lse_pool, [MAP]),
  "lse_lba_pool": (ops.lse_lba_pool, [MAP, ()]),
  "balance_weights": (
    lambda x: jnp.stack(ops.balance_weights(x, 20.0)), [ROW]),
  "balanced_bce": (ops.balanced_bce, [ROW, ROW]),
  "log_variance": (ops.log_variance, [ROW, ROW]),
  "detection_map": (
    partial(ops.detection_map, **SIDES), [BOX_ROWS, (3,)]),
  "final_map": (ops.final_map, [MAP, MAP]),
  "released_detection_map": (
    partial(ops.released_detection_map, **SIDES), [BOX_ROWS, (3,)]),
  "released_final_map": (ops.released_final_map, [MAP, (16, 16)]),
  "vote_boxes": (ops.vote_boxes, [BOX_ROWS, (3,)]),
  "normalize": (ops.normalize, [IMAGE]),
  "affine_warp": (ops.affine_warp, [IMAGE, (2, 3)]),
  "augment": (partial(ops.augment, KEY), [IMAGE]),
  "pick_region": (ops.pick_region, [ROW]),
  "straight_through": (ops.straight_through, [ROW, ROW]),
  "sample_region": (partial(ops.sample_region, KEY), [ROW]),
  "sample_regions": (partial(ops.sample_regions, KEY), [ROW]),
  "exponential_tau": (ops.exponential_tau, [ROW]),
}  # fmt: skip
# These make arrays of options alone.
WITHOUT_ARRAYS = {"make_proposals", "augment_matrix", "log_centre_prior"}


def public_ops():
  """Return the names of all functions that `chexjax.ops` offers."""
  names = {name for name in ops.__all__ if callable(getattr(ops, name))}
  return names | {
    f"boxes.{name}"
    for name, member in vars(ops.boxes).items()
    if inspect.isfunction(member)
    and member.__module__ == ops.boxes.__name__
    and not name.startswith("_")
  }
