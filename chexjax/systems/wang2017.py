"""Wang et al. 2017, "ChestX-ray8", as far as the paper and supplement say."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.models.layers import Conv
from chexjax.systems.base import (
  Backbone,
  Intermediates,
  Linear,
  Truth,
  class_first,
)


class Wang2017(Backbone):
  """A transition layer, log-sum-exp pooling of each channel, a linear layer.

  Attributes:
    r: sharpness of the pooling; the paper found 10 best.
  """

  r: float = 10.0

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`; `transition`, the transition layer's channels summed
      with the classifier's weights, `[B, K, H/32, W/32]`. Its mean is not the
      logit, because channels are pooled before they are weighted.
    """
    features = self.taps(images, train=train)[-1]
    width = features.shape[-1]
    transition = Conv(
      width, kernel=1, use_bias=True, dtype=self.dtype, name="transition"
    )
    x = nn.relu(transition(features))
    x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    pool = functools.partial(ops.lse_pool, r=self.r)
    pooled = jax.vmap(jax.vmap(pool, -1))(x)
    linear = Linear(self.num_classes, name="classifier")
    logits, bias = linear(pooled)
    cells, _ = linear(x)
    return logits + bias, {"transition": class_first(cells)}


def batch_weighted_loss(
  logits: jax.Array, found: Intermediates, truth: Truth
) -> jax.Array:
  """Weigh positives and negatives by their numbers in the batch.

  A positive label counts (P + N) / P, a negative one (P + N) / N, with P and N
  the labels of 1 and 0 in the batch, of all classes together, at least 1.

  Args:
    logits: `[B, K]`.
    found: intermediates; not read.
    truth: of the batch.

  Returns:
    `[B, K]`, at least 0.
  """
  del found
  positives = jnp.maximum((truth.labels * truth.known).sum(), 1)
  negatives = jnp.maximum(((1 - truth.labels) * truth.known).sum(), 1)
  total = positives + negatives
  return ops.balanced_bce(
    logits,
    truth.labels,
    beta_pos=total / positives,
    beta_neg=total / negatives,
  )
