"""PCAM (Ye et al. 2020): pooled with the probabilities of the same map."""

import flax.linen as nn
import jax

from chexjax.systems.base import Backbone, Intermediates, Linear, class_first


class Pcam(Backbone):
  """Pools features by each finding's own probability map, then classifies.

  One 1x1 convolution makes the map and classifies the pooled features. The
  weights sum to 1 and it is linear, so the logit is the weighted mean of its
  own map.
  """

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`; `pcam`, each cell's probability, `[B, K, H/32, W/32]`.
    """
    features = self.taps(images, train=train)[-1]
    cells, bias = Linear(self.num_classes, name="classifier")(features)
    cells = class_first(cells + bias)
    probability = jax.nn.sigmoid(cells)
    # The softmax of log-probabilities: no division by a sum that underflows.
    weights = jax.nn.softmax(jax.nn.log_sigmoid(cells), axis=(2, 3))
    return (weights * cells).sum((2, 3)), {"pcam": probability}
