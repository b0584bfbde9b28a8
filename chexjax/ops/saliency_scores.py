"""Scores of the proposals that follow the saliency alone."""

import jax
import jax.numpy as jnp
import numpy as np

from chexjax.ops.checks import check_count, check_positive, check_shape
from chexjax.ops.proposals import PROPOSAL_COUNTS
from chexjax.ops.roi_align import roi_align_proposals


def saliency_scores(
  saliency_logits: jax.Array, *, sharpness: float = 1.5, stride: int = 4
) -> jax.Array:
  """Score the 395 proposals by the saliency inside of them.

  Scores of one size are standardised, so that the small proposals, which are
  the most and the brightest, are not always on top: under the softmax each
  size is about equally likely.

  Args:
    saliency_logits: `[h, w]` of one finding.
    sharpness: standard deviation of one size's scores, 0 or more.
    stride: image pixels per pixel of the map.

  Returns:
    `[395]` log-probabilities up to a constant, in the order of
    `make_proposals`, without gradient.

  Raises:
    ValueError: if `saliency_logits` has another shape, such as a batch of
      maps, `stride` is not a positive integer, or `sharpness` is a negative
      number; a `jax.Array`, traced or not, is not read.
  """
  check_shape("saliency_logits", saliency_logits, "[h, w]")
  check_count("stride", stride)
  check_positive("sharpness", sharpness, or_zero=True)
  saliency = jax.nn.sigmoid(jax.lax.stop_gradient(saliency_logits))
  means = roi_align_proposals(
    saliency[..., None], stride=stride, output_size=3
  ).mean((1, 2, 3))
  scores = []
  for part in jnp.split(means, np.cumsum(PROPOSAL_COUNTS)[:-1]):
    spread = jnp.maximum(part.std(), 1e-6)
    standard = (part - part.mean()) / spread
    scores.append(sharpness * standard - jnp.log(len(part)))
  return jnp.concatenate(scores)
