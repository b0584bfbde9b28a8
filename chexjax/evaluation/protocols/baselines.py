"""Rows that keep everyone honest: boxes that never saw the image.

- `image_blind`: one constant box per finding, one of the true boxes (medoid);
- `whole_image`: the frame itself;
- `centre_prior`: one constant map, a Gaussian in the centre of the image with
  a standard deviation of a quarter of each side, boxed as any map.
"""

import numpy as np

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.components import component_boxes
from chexjax.evaluation.measures.heat_maps import (
  THRESHOLDS,
  cut_values,
  rescale,
)
from chexjax.evaluation.protocols import threshold_choice
from chexjax.evaluation.protocols.threshold_choice import Candidates

BLIND, WHOLE, CENTRE = BASELINES = (
  "image_blind",
  "whole_image",
  "centre_prior",
)
_SIDE = 128


def _constant(true_box, boxes):
  """Give the candidates of C constant boxes `[C, 4]`."""
  pairs = boxes[None], true_box[:, None]
  centres = (boxes[:, :2] + boxes[:, 2:]) / 2
  iou = overlap.iou(*pairs)
  return Candidates(
    iou=iou,
    cdice=overlap.dice(*pairs),
    iobb=overlap.iobb(*pairs),
    pointing=overlap.contains(true_box[:, None], centres[None]),
    best_iou=iou,
  )


def image_blind(true_box, patients):
  """Give one finding's true boxes as candidates for each other's rows.

  Args:
    true_box: `[P, 4]`.
    patients: `[P]`, the owners.
  """
  _, dice = threshold_choice.constant_boxes(true_box)
  found = _constant(true_box, true_box)
  return found._replace(cdice=dice, owners=np.asarray(patients, str))


def whole_image(true_box, frame):
  """Give the frame as the only candidate."""
  height, width = frame
  return _constant(true_box, np.array([[0.0, 0.0, width, height]]))


def centre_map():
  """Give the Gaussian, `[128, 128]` float32 in 0..1."""
  place = (np.arange(_SIDE) + 0.5) / _SIDE - 0.5
  bump = np.exp(-0.5 * (place / 0.25) ** 2)
  return np.outer(bump, bump).astype(np.float32)


def centre_prior(true_box, frame):
  """Give the Gaussian's boxes at every percentile threshold as candidates."""
  heat = centre_map()
  grain = np.array([frame[1], frame[0]] * 2) / _SIDE
  cuts = cut_values(heat, THRESHOLDS, "percentile")
  found = _constant(true_box, component_boxes(heat, cuts)["largest"] * grain)
  scaled = rescale(heat, "minmax")
  cdice = [overlap.cdice(scaled, box / grain) for box in true_box]
  return found._replace(cdice=np.array(cdice))
