"""In the manner of Li et al. 2018: a grid of patches, pooled by noisy-OR."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.models.layers import BatchNorm, Conv
from chexjax.systems.base import Backbone, Intermediates, class_first


class Li2018(Backbone):
  """Classifies the patches of a grid; a finding is there if a patch has it.

  Attributes:
    patches: along each side of the grid, P; see `share_of_a_patch`. With more
      patches at 0.02 every film would be positive.
  """

  patches: int = 16

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`; `patch`, each patch's probability, `[B, K, P, P]`.

    Raises:
      ValueError: if P does not divide a side of a larger last map.
    """
    features = self.taps(images, train=train)[-1]
    x = _to_grid(features, self.patches)
    width = x.shape[-1] // 2
    norm = BatchNorm(
      use_running_average=not train, dtype=self.dtype, name="norm"
    )
    x = nn.relu(norm(Conv(width, dtype=self.dtype, name="conv1")(x)))
    conv2 = Conv(
      self.num_classes, kernel=1, use_bias=True, dtype=self.dtype, name="conv2"
    )
    x = conv2(x)
    cells = class_first(x.astype(jnp.promote_types(x.dtype, jnp.float32)))
    share = share_of_a_patch(self.patches**2)
    pool = functools.partial(ops.noisy_or_pool, share=share)
    return jax.vmap(jax.vmap(pool))(cells), {"patch": jax.nn.sigmoid(cells)}


def share_of_a_patch(patches: int) -> float:
  """Return what a certain patch takes from the probability of none.

  Args:
    patches: of the grid.

  Returns:
    0.02 for 256 patches, as public code has it; in 0..1.
  """
  return 5.12 / patches


def _to_grid(x: jax.Array, side: int) -> jax.Array:
  """Bring `[B, h, w, C]` to `[B, side, side, C]`: maxima, or bilinearly."""
  batch, height, width, channels = x.shape
  if max(height, width) <= side:
    return jax.image.resize(x, (batch, side, side, channels), "bilinear")
  if height % side or width % side:
    raise ValueError(
      f"a map of {height} x {width} cannot be brought to {side} x {side} "
      "patches by maxima"
    )
  window = (height // side, width // side)
  return nn.max_pool(x, window, strides=window)
