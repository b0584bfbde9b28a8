"""Pure functions on one example; lift them with `jax.vmap`, jit as you like.

Every function can be differentiated, in reverse and in forward mode. A wrong
shape raises a `ValueError` that names the argument, at no cost at run time.
"""

from chexjax.ops import boxes
from chexjax.ops.crop_and_resize import crop_bilinear, crop_gaussian
from chexjax.ops.erase import erase_region
from chexjax.ops.grad_cam import grad_cam, grad_cam_plus_plus
from chexjax.ops.gumbel import (
  exponential_tau,
  pick_region,
  sample_region,
  sample_regions,
  straight_through,
)
from chexjax.ops.heatmaps import (
  detection_map,
  final_map,
  released_detection_map,
  released_final_map,
)
from chexjax.ops.images import (
  affine_warp,
  augment,
  augment_matrix,
  normalize,
)
from chexjax.ops.interpolation import interpolation_matrix
from chexjax.ops.losses import balance_weights, balanced_bce, log_variance
from chexjax.ops.pooling import (
  log_centre_prior,
  lse_lba_pool,
  lse_pool,
  noisy_or_pool,
)
from chexjax.ops.proposals import (
  NUM_PROPOSALS,
  PROPOSAL_COUNTS,
  make_proposals,
)
from chexjax.ops.roi_align import roi_align, roi_align_proposals
from chexjax.ops.saliency_scores import saliency_scores
from chexjax.ops.voting import vote_boxes

__all__ = [
  "NUM_PROPOSALS",
  "PROPOSAL_COUNTS",
  "affine_warp",
  "augment",
  "augment_matrix",
  "balance_weights",
  "balanced_bce",
  "boxes",
  "crop_bilinear",
  "crop_gaussian",
  "detection_map",
  "erase_region",
  "exponential_tau",
  "final_map",
  "grad_cam",
  "grad_cam_plus_plus",
  "interpolation_matrix",
  "log_centre_prior",
  "log_variance",
  "lse_lba_pool",
  "lse_pool",
  "make_proposals",
  "noisy_or_pool",
  "normalize",
  "pick_region",
  "released_detection_map",
  "released_final_map",
  "roi_align",
  "roi_align_proposals",
  "saliency_scores",
  "sample_region",
  "sample_regions",
  "straight_through",
  "vote_boxes",
]
