"""In the manner of CRAL (Guan & Huang 2018): an attention for each finding."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models.layers import BatchNorm, Conv
from chexjax.systems.base import Backbone, Intermediates, Linear, class_first


class Cral(Backbone):
  """Weighs the last map by one plus each finding's attention.

  A linear layer commutes with the mean over cells, so the features of each
  finding, `(1 + a_k) f`, are never formed: their pooled logit is the mean of
  `(1 + a_k) (w_k f)`. With an attention of 0 it is `cam`.
  """

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`; `weighted_cam`, whose mean over cells is the logit
      without its bias, and `attention` in 0..1, `[B, K, H/32, W/32]` both.
    """
    features = self.taps(images, train=train)[-1]
    attention = self._attention(features, train=train)
    cells, bias = Linear(self.num_classes, name="classifier")(features)
    cells = (1 + attention) * cells
    return cells.mean((1, 2)) + bias, {
      "weighted_cam": class_first(cells),
      "attention": class_first(attention),
    }

  def _attention(self, x: jax.Array, *, train: bool) -> jax.Array:
    """Map `[B, h, w, C]` to `[B, h, w, K]` in 0..1, by three convolutions."""
    width = x.shape[-1] // 2
    for number, kernel in ((1, 1), (2, 3)):
      conv = Conv(
        width, kernel=kernel, dtype=self.dtype, name=f"attention{number}"
      )
      norm = BatchNorm(
        use_running_average=not train,
        dtype=self.dtype,
        name=f"attention_norm{number}",
      )
      x = nn.relu(norm(conv(x)))
    last = Conv(
      self.num_classes,
      kernel=1,
      use_bias=True,
      dtype=self.dtype,
      name="attention3",
    )
    x = last(x)
    return jax.nn.sigmoid(x.astype(jnp.promote_types(x.dtype, jnp.float32)))
