"""CAM: mean pooling and a linear layer (Zhou et al. 2016; CheXNet 2017)."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.systems.base import Backbone, Intermediates, Linear, class_first


class Cam(Backbone):
  """The DenseNet's last map, pooled by its mean and classified."""

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`; `cam`, `grad_cam` and `grad_cam_plus_plus`,
      `[B, K, H/32, W/32]`. The mean of `cam` over cells is the logit without
      its bias.
    """
    features = self.taps(images, train=train)[-1]
    linear = Linear(self.num_classes, name="classifier")
    cells, bias = linear(features)
    maps = {"cam": class_first(cells)}
    if not train:
      wide = features.astype(jnp.promote_types(features.dtype, jnp.float32))
      kernel = linear.variables["params"]["kernel"]

      def head(x: jax.Array) -> jax.Array:
        return x.mean((0, 1)) @ kernel

      maps["grad_cam"] = jax.vmap(lambda x: ops.grad_cam(head, x))(wide)
      maps["grad_cam_plus_plus"] = jax.vmap(
        lambda x: ops.grad_cam_plus_plus(head, x)
      )(wide)
    return cells.mean((1, 2)) + bias, maps
