"""ACoL (Zhang et al. 2018): a second head sees what the first leaves over."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.systems.base import (
  Backbone,
  Intermediates,
  Linear,
  Truth,
  class_first,
)


class Acol(Backbone):
  """Two linear heads on the last map, the second on erased features.

  For each finding the features are erased where its own first map is above
  `erase_above`. Its authors erase by the label; a map of an absent finding
  seldom gets there, and no label is needed at a test.

  Attributes:
    erase_above: logit of a cell from which on it is erased.
  """

  erase_above: float = 0.6

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]` of the first head; `acol`, the higher of both heads'
      maps, `[B, K, H/32, W/32]`, and `second_logits` `[B, K]`.
    """
    features = self.taps(images, train=train)[-1]
    first, bias = Linear(self.num_classes, name="first")(features)
    first += bias
    second, bias = Linear(self.num_classes, name="second")(features)
    # A linear head of erased features is 0 there, but for its bias.
    second = jnp.where(first > self.erase_above, 0, second) + bias
    return first.mean((1, 2)), {
      "acol": class_first(jnp.maximum(first, second)),
      "second_logits": second.mean((1, 2)),
    }


def both_heads_loss(
  logits: jax.Array, found: Intermediates, truth: Truth
) -> jax.Array:
  """Average the balanced losses of both heads.

  Args:
    logits: `[B, K]` of the first head.
    found: with `second_logits` `[B, K]`.
    truth: of the batch.

  Returns:
    `[B, K]`, at least 0.
  """
  losses = [
    ops.balanced_bce(
      x, truth.labels, beta_pos=truth.beta_pos, beta_neg=truth.beta_neg
    )
    for x in (logits, found["second_logits"])
  ]
  return (losses[0] + losses[1]) / 2
