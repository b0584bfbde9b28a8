"""A wrong argument is named, with what came and what is wanted."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from op_cases import public_ops

from chexjax import ops

KEY = jax.random.key(0)
SIDES = {"height": 16, "width": 16}
BOX, BOXES, FIVE = np.zeros(4), np.zeros((7, 4)), np.zeros((7, 5))
IMAGE, IMAGES = np.zeros((16, 16, 1)), np.zeros((2, 16, 16, 1))
MAP, MAPS = np.zeros((4, 4)), np.zeros((2, 4, 4))
SCORES, SIX = np.zeros(7), np.zeros(6)
MATRIX, SQUARE = np.eye(2, 3), np.eye(3)
BOXES_WANTED = "boxes must be [N, 4], got (7, 5)"
ANY_BOXES_WANTED = "boxes must be [..., 4], got (7, 5)"
ONE_IMAGE_WANTED = "image must be [H, W, C], got (2, 16, 16, 1)"
ONE_BOX_WANTED = "box must be [4], got (5,)"
ONE_MAP_WANTED = "saliency_logits must be [h, w], got (2, 4, 4)"
SEVEN_WANTED = "must be [N] with N = 7, got (6,)"
# The op, positional arguments, options, what the error says.
SHAPES = [
  ("boxes.area", [FIVE], {}, ANY_BOXES_WANTED),
  ("boxes.area", [np.float32(1)], {}, "boxes must be [..., 4], got ()"),
  ("boxes.iou", [FIVE, BOXES], {}, "a must be [N, 4], got (7, 5)"),
  ("boxes.iou", [BOXES, BOX], {}, "b must be [M, 4], got (4,)"),
  ("boxes.clip", [FIVE], SIDES, ANY_BOXES_WANTED),
  ("boxes.decode", [FIVE, BOXES], {}, "deltas must be [..., 4], got (7, 5)"),
  ("boxes.decode", [BOXES, FIVE], {}, "anchors must be [..., 4], got (7, 5)"),
  ("boxes.decode", [BOXES[:6], BOXES], {},
   "deltas and anchors must broadcast, got (6, 4) and (7, 4)"),
  ("boxes.encode", [FIVE, BOXES], {}, ANY_BOXES_WANTED),
  ("boxes.encode", [BOXES, FIVE], {}, "anchors must be [..., 4], got (7, 5)"),
  ("boxes.encode", [BOXES, BOXES[:6]], {},
   "boxes and anchors must broadcast, got (7, 4) and (6, 4)"),
  ("boxes.warp", [FIVE, MATRIX], SIDES, ANY_BOXES_WANTED),
  ("boxes.warp", [BOXES, SQUARE], SIDES,
   "matrix must be [2, 3], got (3, 3)"),
  ("boxes.to_xywh", [FIVE], {}, ANY_BOXES_WANTED),
  ("boxes.from_xywh", [FIVE], {}, ANY_BOXES_WANTED),
  ("boxes.from_normalized_yxyx", [FIVE], SIDES, ANY_BOXES_WANTED),
  ("boxes.to_normalized_yxyx", [FIVE], SIDES, ANY_BOXES_WANTED),
  ("crop_bilinear", [IMAGES, BOX], {}, ONE_IMAGE_WANTED),
  ("crop_bilinear", [IMAGE, FIVE[0]], {}, ONE_BOX_WANTED),
  ("crop_bilinear", [IMAGE, BOXES], {}, "box must be [4], got (7, 4)"),
  ("crop_gaussian", [IMAGES, BOX], {}, ONE_IMAGE_WANTED),
  ("crop_gaussian", [IMAGE, FIVE[0]], {}, ONE_BOX_WANTED),
  ("erase_region", [IMAGES, BOX], {}, ONE_IMAGE_WANTED),
  ("erase_region", [IMAGE, FIVE[0]], {}, ONE_BOX_WANTED),
  ("affine_warp", [IMAGES, MATRIX], {}, ONE_IMAGE_WANTED),
  ("affine_warp", [IMAGE, SQUARE], {}, "matrix must be [2, 3], got (3, 3)"),
  ("augment", [KEY, IMAGES], {},
   "image must be [H, W, 1], got (2, 16, 16, 1)"),
  ("augment", [KEY, MAP], {}, "image must be [H, W, 1], got (4, 4)"),
  ("normalize", [np.zeros((2, 8, 8, 3), np.uint8)], {},
   "images must be [..., H, W, 1], got (2, 8, 8, 3)"),
  ("detection_map", [FIVE, SCORES], SIDES, BOXES_WANTED),
  ("detection_map", [BOXES, SIX], SIDES, f"scores {SEVEN_WANTED}"),
  ("released_detection_map", [FIVE, SCORES], SIDES, BOXES_WANTED),
  ("released_detection_map", [BOXES, SIX], SIDES, f"scores {SEVEN_WANTED}"),
  ("final_map", [MAPS, MAPS], {}, ONE_MAP_WANTED),
  ("final_map", [MAP, np.zeros((8, 8))], {},
   "detections must be [h, w] with h = 4, w = 4, got (8, 8)"),
  ("released_final_map", [MAPS, MAP], {}, ONE_MAP_WANTED),
  ("released_final_map", [MAP, MAPS], {},
   "detections must be [H, W], got (2, 4, 4)"),
  ("vote_boxes", [FIVE, SCORES], {}, BOXES_WANTED),
  ("vote_boxes", [BOXES, SIX], {}, f"weights {SEVEN_WANTED}"),
  ("grad_cam", [jnp.sum, MAP], {}, "features must be [h, w, C], got (4, 4)"),
  ("grad_cam", [jnp.sum, IMAGE], {}, "scores of head must be [K], got ()"),
  ("grad_cam_plus_plus", [jnp.sum, MAP], {},
   "features must be [h, w, C], got (4, 4)"),
  ("noisy_or_pool", [MAPS], {}, "logits must be [h, w], got (2, 4, 4)"),
  ("lse_pool", [MAPS], {}, "logits must be [h, w], got (2, 4, 4)"),
  ("lse_pool", [MAP], {"r": MAP[0]}, "r must be [], got (4,)"),
  ("lse_lba_pool", [MAPS, 0.0], {}, "logits must be [h, w], got (2, 4, 4)"),
  ("lse_lba_pool", [MAP, MAP[0]], {}, "beta must be [], got (4,)"),
  ("saliency_scores", [MAPS], {}, ONE_MAP_WANTED),
  ("sample_region", [KEY, np.zeros((5, 2))], {},
   "scores must be [N], got (5, 2)"),
  ("sample_regions", [KEY, np.float32(0)], {},
   "scores must be [..., N], got ()"),
  ("pick_region", [np.float32(0)], {}, "scores must be [..., N], got ()"),
  ("straight_through", [SCORES, SIX], {},
   "soft must have the shape of hard, (7,), got (6,)"),
  ("interpolation_matrix", [np.float32(0), 4], {},
   "positions must be [..., N], got ()"),
  ("balance_weights", [MAP, 9.0], {}, "positives must be [K], got (4, 4)"),
  ("balanced_bce", [FIVE, FIVE[:, :1]], {},
   "labels must have the shape of logits, (7, 5), got (7, 1)"),
  ("balanced_bce", [FIVE, FIVE], {"beta_pos": SCORES},
   "beta_pos must be [K] with K = 5, got (7,)"),
  ("balanced_bce", [FIVE, FIVE], {"beta_neg": FIVE[:, :1]},
   "beta_neg must be [K] with K = 5, got (7, 1)"),
  ("log_variance", [FIVE, SCORES], {},
   "evidence must have the shape of scores, (7, 5), got (7,)"),
  ("log_variance", [FIVE[:, :1], FIVE[:, :1]], {},
   "scores must be [..., M] with M of at least 2, got (7, 1)"),
]  # fmt: skip
VALUES = [
  ("lse_pool", [MAP], {"r": 0}, "r must be positive, got 0"),
  ("lse_pool", [MAP], {"r": -1.0}, "r must be positive, got -1.0"),
  ("lse_pool", [MAP], {"r": np.float32(0)}, "r must be positive, got 0.0"),
  ("lse_pool", [MAP], {"r": np.array(np.nan)}, "r must be positive, got nan"),
  ("log_centre_prior", [4, 4], {"deviation": 0},
   "deviation must be positive, got 0"),
  ("lse_lba_pool", [MAP, 0.0], {"r0": -1}, "r0 must be 0 or more, got -1"),
  ("sample_region", [KEY, SCORES], {"tau": 0}, "tau must be positive, got 0"),
  ("sample_region", [KEY, SCORES], {"tau": -0.5},
   "tau must be positive, got -0.5"),
  ("sample_region", [KEY, SCORES], {"noise_scale": -1},
   "noise_scale must be 0 or more, got -1"),
  ("detection_map", [BOXES, SCORES], {**SIDES, "tau": 0.0},
   "tau must be positive, got 0.0"),
  ("detection_map", [BOXES, SCORES], {**SIDES, "stride": 0},
   "stride must be an integer of at least 1, got 0"),
  ("detection_map", [BOXES, SCORES], {"height": 18, "width": 16},
   "height and width must be multiples of stride 4, got 18 and 16"),
  ("detection_map", [BOXES, SCORES], {"height": 16, "width": 30},
   "height and width must be multiples of stride 4, got 16 and 30"),
  ("released_detection_map", [BOXES, SCORES], {"height": 16, "width": 1.5},
   "width must be an integer of at least 1, got 1.5"),
  ("exponential_tau", [0.5], {"start": 0}, "start must be positive, got 0"),
  ("exponential_tau", [0.5], {"end": -1e-3},
   "end must be positive, got -0.001"),
  ("normalize", [np.full((4, 4, 1), 0.5)], {},
   "images must hold grey values of 0..255, got at most 0.5"),
  ("normalize", [np.ones((4, 4, 1), np.uint16)], {},
   "images must be uint8 or float, grey 0..255, got uint16"),
  ("crop_bilinear", [IMAGE, BOX], {"size": 0},
   "size must be an integer of at least 1, got 0"),
  ("crop_bilinear", [IMAGE, BOX], {"size": (4, -1)},
   "size must be an integer of at least 1, got -1"),
  ("crop_bilinear", [IMAGE, BOX], {"size": (4, 4, 1)},
   "size must be one side or (height, width), got (4, 4, 1)"),
  # One Gaussian has no step to the next.
  ("crop_gaussian", [IMAGE, BOX], {"size": 1},
   "size must be an integer of at least 2, got 1"),
  ("crop_gaussian", [IMAGE, BOX], {"sigma2": 0.0},
   "sigma2 must be positive, got 0.0"),
  ("erase_region", [IMAGE, BOX], {"cells": 0},
   "cells must be an integer of at least 1, got 0"),
  ("erase_region", [IMAGE, BOX], {"softness": 0.0},
   "softness must be positive, got 0.0"),
  ("saliency_scores", [MAP], {"stride": 0.5},
   "stride must be an integer of at least 1, got 0.5"),
  ("saliency_scores", [MAP], {"sharpness": -1},
   "sharpness must be 0 or more, got -1"),
  ("interpolation_matrix", [SCORES, 0], {},
   "length must be an integer of at least 1, got 0"),
  ("make_proposals", [500], {},
   "height must be a multiple of 16, got 500; the nearest are 496 and 512"),
  ("make_proposals", [64, 8], {},
   "width must be a multiple of 16, got 8; the nearest are 16"),
  ("make_proposals", [0], {},
   "height must be an integer of at least 1, got 0"),
  ("make_proposals", [64, 0], {},
   "width must be an integer of at least 1, got 0"),
  ("balance_weights", [SCORES, 0], {}, "total must be positive, got 0"),
  ("augment_matrix", [KEY], {**SIDES, "height": 0},
   "height must be an integer of at least 1, got 0"),
  ("augment_matrix", [KEY], {**SIDES, "zoom": -0.1},
   "zoom must be 0 or more, got -0.1"),
  ("augment", [KEY, IMAGE], {"translate": -0.1},
   "translate must be 0 or more, got -0.1"),
  ("augment", [KEY, IMAGE], {"rotate": -5},
   "rotate must be 0 or more, got -5"),
  ("boxes.clip", [BOXES], {**SIDES, "width": 0},
   "width must be positive, got 0"),
  ("boxes.warp", [BOXES, MATRIX], {**SIDES, "height": -1},
   "height must be positive, got -1"),
  ("boxes.from_normalized_yxyx", [BOXES], {**SIDES, "height": 0},
   "height must be positive, got 0"),
  ("boxes.to_normalized_yxyx", [BOXES], {**SIDES, "height": 0},
   "height must be positive, got 0"),
]  # fmt: skip


def op_named(name):
  room, _, name = name.rpartition(".")
  return getattr(ops.boxes if room else ops, name)


@pytest.mark.parametrize(
  ("name", "arguments", "options", "message"), [*SHAPES, *VALUES]
)
def test_a_wrong_argument_is_named(name, arguments, options, message):
  with pytest.raises(ValueError, match=re.escape(message)):
    op_named(name)(*arguments, **options)


@pytest.mark.parametrize(("name", "arguments", "options", "message"), SHAPES)
def test_a_wrong_shape_is_named_while_tracing(
  name, arguments, options, message
):
  def traced(arrays):
    found = iter(arrays)
    return op_named(name)(
      *(next(found) if hasattr(x, "shape") else x for x in arguments), **options
    )

  arrays = [x for x in arguments if hasattr(x, "shape")]
  with pytest.raises(ValueError, match=re.escape(message)):
    jax.eval_shape(traced, arrays)


def test_every_op_has_a_wrong_argument():
  # RoIAlign's are in a file of their own.
  roi_align = {"roi_align", "roi_align_proposals"}
  assert {row[0] for row in [*SHAPES, *VALUES]} == public_ops() - roi_align


def test_what_is_no_array_is_named():
  with pytest.raises(TypeError, match=r"boxes must be an array .* got list"):
    ops.boxes.area([0, 0, 1, 1])


@pytest.mark.parametrize(
  "call",
  [
    lambda x: ops.lse_pool(jnp.zeros((4, 4)), r=x),
    lambda x: ops.sample_region(KEY, jnp.zeros(7), tau=x),
    lambda x: ops.detection_map(
      jnp.zeros((7, 4)), jnp.zeros(7), tau=x, **SIDES
    ),
    lambda x: ops.exponential_tau(0.5, start=x, end=x),
  ],
)
def test_a_jax_value_is_not_read(call):
  """It may be traced, and to read one would wait for the device."""
  assert np.isfinite(jax.jit(call)(1.0)).all()
  assert np.isnan(jax.jit(call)(0.0)).any()
  assert np.isnan(call(jnp.zeros(()))).any()


@pytest.mark.parametrize(
  "images",
  [
    np.zeros((4, 4, 1)),
    np.eye(4, dtype=np.uint8)[..., None],
    np.eye(4, dtype=np.float32)[..., None] * 2,
    np.zeros((0, 4, 4, 1), np.float32),
    jnp.eye(4)[..., None],
  ],
)
def test_images_that_may_be_grey_values_pass(images):
  assert ops.normalize(images).shape == (*images.shape[:-1], 3)
