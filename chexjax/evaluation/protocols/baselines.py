"""Baselines that never see the image; a localisation must beat them.

- `image_blind`: one constant box per finding, one of the true boxes (medoid);
- `whole_image`: the frame itself;
- `centre_prior`: one constant map, a Gaussian in the centre of the image with
  a standard deviation of a quarter of each side, boxed as any map.
"""

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.components import component_boxes
from chexjax.evaluation.measures.heat_maps import (
  THRESHOLDS,
  Frame,
  cut_values,
  rescale,
)
from chexjax.evaluation.measures.true_regions import TrueRegions
from chexjax.evaluation.protocols.candidates import Candidates

BLIND, WHOLE, CENTRE = BASELINES = (
  "image_blind",
  "whole_image",
  "centre_prior",
)
_SIDE = 128


def constant_boxes(true: TrueRegions, boxes: np.ndarray) -> Candidates:
  """Return candidates that answer every image with the same box.

  Args:
    true: the P true regions of one finding, in pixels of the frame.
    boxes: `[C, 4]` constant boxes, in the same frame.

  Returns:
    The C candidates; cDice is that of the two boxes' masks.
  """
  given = boxes[None]
  centres = (given[..., :2] + given[..., 2:]) / 2
  several = true.any_iou(given) if true.row.size else None
  iou = true.iou(given)
  return Candidates(
    iou=iou,
    cdice=true.dice(given),
    iobb=true.iobb(given),
    pointing=true.contains(centres),
    best_iou=iou if several is None else several,
    any_iou=several,
  )


def image_blind(true: TrueRegions, patients: ArrayLike) -> Candidates:
  """Return every true box of a finding as a candidate for all images.

  Args:
    true: the P true regions of one finding, in pixels of the frame.
    patients: `[P]`, the owners of the regions.

  Returns:
    A candidate for each box, with their owners.
  """
  found = constant_boxes(true, true.every())
  return found._replace(owners=np.asarray(patients, str)[true.owners()])


def whole_image(true: TrueRegions, frame: Frame) -> Candidates:
  """Return the frame as the only candidate.

  Args:
    true: the P true regions of one finding, in pixels of the frame.
    frame: height and width of the frame, in pixels.

  Returns:
    One candidate.
  """
  height, width = frame
  return constant_boxes(true, np.array([[0.0, 0.0, width, height]]))


def centre_map() -> np.ndarray:
  """Return the Gaussian of `centre_prior`.

  Returns:
    `[128, 128]` float32 in 0..1.
  """
  place = (np.arange(_SIDE) + 0.5) / _SIDE - 0.5
  bump = np.exp(-0.5 * (place / 0.25) ** 2)
  return np.outer(bump, bump).astype(np.float32)


def centre_prior(true: TrueRegions, frame: Frame) -> Candidates:
  """Return the Gaussian's boxes at every percentile threshold.

  Args:
    true: the P true regions of one finding, in pixels of the frame.
    frame: height and width of the frame, in pixels.

  Returns:
    One candidate for each of `THRESHOLDS`; cDice is that of the map.
  """
  heat = centre_map()
  grain = np.array([frame[1], frame[0]] * 2) / _SIDE
  cuts = cut_values(heat, THRESHOLDS, "percentile")
  boxes = component_boxes(heat, cuts)["largest"] * grain
  scaled = rescale(heat, "minmax")
  cdice = [
    overlap.cdice(scaled, true.of(p) / grain) for p in range(len(true.box))
  ]
  return constant_boxes(true, boxes)._replace(cdice=np.array(cdice))
