"""Our own classification module with Yao et al.'s pooling, on logits."""

import flax.linen as nn
import jax

from chexjax.models.classification import ClassificationModule
from chexjax.systems.base import Backbone, Intermediates


class FpnLseLba(Backbone):
  """DenseNet, FPN and saliency heads, pooled by LSE-LBA.

  Attributes:
    fpn_features: channels of the merged map.
    hidden: channels of a finding's hidden map.
  """

  fpn_features: int = 256
  hidden: int = 128

  def setup(self) -> None:
    """Make the module; its variables are this module's own."""
    self.module = ClassificationModule(
      num_classes=self.num_classes,
      block_sizes=self.block_sizes,
      growth=self.growth,
      bn_size=self.bn_size,
      stem=self.stem,
      fpn_features=self.fpn_features,
      hidden=self.hidden,
      pooling="lse_lba",
      dtype=self.dtype,
      kernels=False,
      remat=self.remat,
    )
    nn.share_scope(self, self.module)

  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`; `sal`, the sigmoid of the saliency logits,
      `[B, K, H/4, W/4]`.
    """
    logits, maps = self.module(images, train=train)
    return logits, {"sal": jax.nn.sigmoid(maps["saliency_logits"])}
