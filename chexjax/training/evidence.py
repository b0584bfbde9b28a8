"""The evidence for a region, and the loss that trains scores on it.

A region that holds a finding passes two tests: its crop is classified as the
finding, and the image without the region is not. Both tests need only image
labels. The scores are trained to be the logarithm of this evidence. Their
softmax, the confidence of x_RPN, is then the distribution over regions given
the label. Every box is trained towards the confidence-weighted mean of the
boxes that it overlaps.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax

from chexjax import ops
from chexjax.models import ChexModel, decode_regions
from chexjax.training.config import EvidenceOptions

# The smallest share of the image that the area term distinguishes. Without it
# a region would shrink to nothing where the classifier misses the finding.
_LEAST_AREA = 1 / 512
_SALIENCY_SHARE = 0.5
_UNIFORM_SHARE = 0.1
_HUBER = 0.3


def weigh_regions(
  model: ChexModel,
  variables: Any,
  images: jax.Array,
  classes: jax.Array,
  boxes: jax.Array,
  options: EvidenceOptions,
) -> jax.Array:
  """Compute the log-evidence of regions, with batch norms in evaluation mode.

  Args:
    model: classifies crops and images.
    variables: of the model.
    images: `[B, H, W, 3]` normalised.
    classes: `[B]` int, the finding that each image's regions should hold.
    boxes: `[B, M, 4]` x1, y1, x2, y2 in pixels.
    options: factors of crop, erasure and area, and of the sum.

  Returns:
    `[B, M]` float32.
  """
  batch, num = boxes.shape[:2]
  height, width = images.shape[1:3]
  shares = jnp.maximum(ops.boxes.area(boxes) / (height * width), _LEAST_AREA)
  evidence = -options.area * jnp.log(shares)

  def of_class(logits: Any) -> jax.Array:
    kept = jnp.repeat(classes, num)[:, None]
    return jnp.take_along_axis(logits, kept, 1).reshape(batch, num)

  if options.crop:
    crops = model.crop_regions(images, boxes)
    group = {name: of["crop_classifier"] for name, of in variables.items()}
    logits = model.crop_classifier.apply(
      group, crops.reshape(batch * num, 1, *crops.shape[2:]), train=False
    )
    evidence += options.crop * jax.nn.log_sigmoid(of_class(logits))
  if options.erase:
    erased = jax.vmap(jax.vmap(ops.erase_region, (None, 0)))(images, boxes)
    logits, _ = model.apply(
      variables, erased.reshape(batch * num, *images.shape[1:]), stage=1
    )
    evidence += options.erase * jax.nn.log_sigmoid(-of_class(logits.full))
  return options.scale * evidence


def evidence_loss(
  key: jax.Array,
  model: ChexModel,
  variables: Any,
  images: jax.Array,
  labels: jax.Array,
  maps: dict[str, jax.Array],
  options: EvidenceOptions,
) -> tuple[jax.Array, dict[str, jax.Array]]:
  """Compute the loss of scores and boxes against the evidence.

  One positive finding per image is compared, for half of the batch's images,
  those with a finding first. Images without a finding add nothing.

  Args:
    key: draws findings and regions.
    model: see `weigh_regions`.
    variables: see `weigh_regions`; only the detection head gets a gradient.
    images: `[B, H, W, 3]` normalised.
    labels: `[B, K]`, 0 or 1.
    maps: `hidden` and `saliency_logits` of the model; they get a gradient.
    options: how regions are weighed.

  Returns:
    The scalar loss, and its unweighted parts `loss_scores` and `loss_boxes`.
  """
  class_key, region_key = jax.random.split(key)
  head = {"params": variables["params"]["detection"]}
  variables = jax.lax.stop_gradient(variables)
  positive = labels.max(-1)
  rows = jnp.argsort(-positive, stable=True)[: max(1, len(images) // 2)]
  images, labels, positive = images[rows], labels[rows], positive[rows]
  ties = jax.random.uniform(class_key, labels.shape, minval=0.1)
  classes = jnp.argmax(labels * ties, -1)
  hidden, saliency = (
    maps[name][rows, classes][:, None] for name in ("hidden", "saliency_logits")
  )
  found: Any = model.detection_head.apply(head, None, hidden, saliency)
  scores, deltas = (x[:, 0] for x in found[1])
  height, width = images.shape[1:3]
  regions = jax.lax.stop_gradient(
    decode_regions(scores, deltas, height, width)["proposal_boxes"]
  )
  follow = jax.vmap(ops.saliency_scores)(saliency[:, 0])
  chosen = _draw(region_key, scores, follow, options.regions)
  boxes = jnp.take_along_axis(regions, chosen[..., None], 1)
  evidence = weigh_regions(model, variables, images, classes, boxes, options)
  evidence += (
    options.scale * options.saliency * jnp.take_along_axis(follow, chosen, 1)
  )
  picked = jnp.take_along_axis(scores, chosen, 1)
  # Divided by the scale, so that the weight does not depend on it.
  parts = {
    "loss_scores": ops.log_variance(picked, evidence) / options.scale**2,
    "loss_boxes": _box_loss(scores, deltas, (height, width), options),
  }
  count = jnp.maximum(positive.sum(), 1)
  parts = {name: (x * positive).sum() / count for name, x in parts.items()}
  loss = (
    options.score_weight * parts["loss_scores"]
    + options.refine_weight * parts["loss_boxes"]
  )
  return loss, parts


def _draw(
  key: jax.Array, scores: jax.Array, follow: jax.Array, num: int
) -> jax.Array:
  """Draw region indices `[B, M]`, half by the scores, half by the saliency.

  Untrained scores draw uniformly; the saliency already draws likely regions.
  """
  score_key, saliency_key, share_key = jax.random.split(key, 3)
  shape = (num, len(scores))
  mine = jax.random.categorical(score_key, scores, shape=shape)
  other = jax.random.categorical(saliency_key, follow, shape=shape)
  exploring = jax.random.bernoulli(share_key, _SALIENCY_SHARE, shape)
  return jnp.where(exploring, other, mine).T


def _box_loss(
  scores: jax.Array,
  deltas: jax.Array,
  image_shape: tuple[int, int],
  options: EvidenceOptions,
) -> jax.Array:
  """Return `[B]` Huber losses of the deltas against those of voted boxes."""
  proposals = jnp.asarray(ops.make_proposals(*image_shape))
  confidence = jax.lax.stop_gradient(jax.nn.softmax(scores))
  vote = functools.partial(ops.vote_boxes, overlap=options.overlap)
  voted = jax.vmap(vote, (None, 0))(proposals, confidence)
  target = ops.boxes.encode(voted, proposals)
  loss = optax.huber_loss(deltas, target, delta=_HUBER).sum(-1)
  uniform = _UNIFORM_SHARE / confidence.shape[-1]
  weight = (1 - _UNIFORM_SHARE) * confidence + uniform
  return (weight * loss).sum(-1)
