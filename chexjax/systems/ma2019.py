"""In the manner of Ma et al. 2019: two networks attend to each other's maps."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.models.layers import BatchNorm, Conv
from chexjax.systems.base import (
  Backbone,
  Intermediates,
  Linear,
  Truth,
  class_first,
)


class Ma2019(Backbone):
  """Two DenseNets; each one's features are weighed by the other's attention.

  About twice the memory and time of the other systems.
  """

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`; `fused_cam`, whose mean over cells is the logit without
      its bias, `[B, K, H/32, W/32]`.
    """
    features, attentions = [], []
    for number in ("", "2"):
      x = self._features(images, number, train=train)
      gate = Conv(
        1, kernel=1, use_bias=True, dtype=self.dtype, name=f"attention{number}"
      )
      features.append(x)
      attentions.append(jax.nn.sigmoid(gate(x)))
    crossed = [x * a for x, a in zip(features, reversed(attentions))]
    cells, bias = Linear(self.num_classes, name="classifier")(
      jnp.concatenate(crossed, -1)
    )
    return cells.mean((1, 2)) + bias, {"fused_cam": class_first(cells)}

  def _features(
    self, images: jax.Array, number: str, *, train: bool
  ) -> jax.Array:
    """Return one network's features, `[B, h, w, C]`."""
    x = self.taps(images, train=train, name=f"densenet{number}")[-1]
    conv = Conv(
      x.shape[-1], kernel=1, dtype=self.dtype, name=f"transition{number}"
    )
    norm = BatchNorm(
      use_running_average=not train, dtype=self.dtype, name=f"norm{number}"
    )
    return nn.relu(norm(conv(x)))


def focal_loss(
  logits: jax.Array, found: Intermediates, truth: Truth
) -> jax.Array:
  """Weigh the balanced loss by the square of what is missing to certainty.

  Args:
    logits: `[B, K]`.
    found: intermediates; not read.
    truth: of the batch.

  Returns:
    `[B, K]`, at least 0 (Lin et al. 2017, with an exponent of 2).
  """
  del found
  right = jax.nn.sigmoid(jnp.where(truth.labels > 0.5, logits, -logits))
  loss = ops.balanced_bce(
    logits, truth.labels, beta_pos=truth.beta_pos, beta_neg=truth.beta_neg
  )
  return jnp.square(1 - right) * loss
