"""PYLON (Preechakul et al. 2022): a fine map through a light decoder."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from chexjax.models.layers import BatchNorm, Conv
from chexjax.systems.base import Backbone, Intermediates, class_first

# Sides of the kernels of the attention's three steps down.
_KERNELS = (7, 5, 3)


class ConvNormRelu(nn.Module, kw_only=True):
  """A convolution, a batch norm and a ReLU.

  Attributes:
    features: output channels.
    kernel: side of the kernel.
    train: whether statistics are taken from this batch.
    dtype: type of the convolution.
  """

  features: int
  kernel: int
  train: bool
  dtype: Any

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Map `[B, h, w, C]` to `[B, h, w, features]`."""
    x = Conv(self.features, kernel=self.kernel, dtype=self.dtype, name="conv")(
      x
    )
    norm = BatchNorm(
      use_running_average=not self.train, dtype=self.dtype, name="norm"
    )
    return nn.relu(norm(x))


class Pylon(Backbone):
  """Pyramid attention on the last map, then merged upwards to a quarter.

  At sides whose 32nd part is a multiple of 8 (256, 512) as its authors'; a
  smaller map is halved only as far as it goes, since theirs then fails.

  Attributes:
    hidden: channels of the decoder.
  """

  hidden: int = 128

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]`, the maxima of the map's; `pylon`, each cell's
      probability, `[B, K, H/4, W/4]`.
    """
    *skips, deepest = self.taps(images, train=train)

    def layer(features: int, kernel: int, name: str) -> ConvNormRelu:
      return ConvNormRelu(
        features=features,
        kernel=kernel,
        train=train,
        dtype=self.dtype,
        name=name,
      )

    x = layer(self.hidden, 1, "middle")(deepest)
    x = x * self._attention(deepest, layer)
    for level, skip in reversed(list(enumerate(skips, 1))):
      side = layer(skip.shape[-1], 1, f"up{level}_skip")(skip)
      side = layer(self.hidden, 1, f"up{level}_merge")(side)
      x = resize_corners(x, skip.shape[1:3]) + side
    last = Conv(
      self.num_classes, kernel=1, use_bias=True, dtype=self.dtype, name="last"
    )
    x = last(x)
    cells = class_first(x.astype(jnp.promote_types(x.dtype, jnp.float32)))
    return cells.max((2, 3)), {"pylon": jax.nn.sigmoid(cells)}

  def _attention(self, x: jax.Array, layer: Any) -> jax.Array:
    """Return the pyramid's one channel `[B, h, w, 1]` of `[B, h, w, C]`."""
    shapes, levels = [], []
    for kernel in _KERNELS:
      shapes.append(x.shape[1:3])
      if min(x.shape[1:3]) > 1:
        x = nn.max_pool(x, (2, 2), strides=(2, 2))
      x = layer(1, kernel, f"down{kernel}")(x)
      levels.append(x)
    x = layer(1, _KERNELS[-1], f"same{_KERNELS[-1]}")(levels.pop())
    for kernel, level in reversed(list(zip(_KERNELS, levels))):
      x = resize_corners(x, shapes.pop())
      x = x + layer(1, kernel, f"same{kernel}")(level)
    return resize_corners(x, shapes.pop())


def resize_corners(x: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  """Resize `[B, h, w, C]` bilinearly, the corner cells' centres kept.

  As `torch.nn.functional.interpolate(mode="bilinear", align_corners=True)`.

  Args:
    x: the map.
    shape: height and width of the result.

  Returns:
    `[B, *shape, C]`.
  """
  rows, columns = (
    jnp.asarray(_corner_weights(old, new), x.dtype)
    for old, new in zip(x.shape[1:3], shape)
  )
  return jnp.einsum("ih,jw,bhwc->bijc", rows, columns, x, precision="highest")


def _corner_weights(old: int, new: int) -> np.ndarray:
  """Return `[new, old]` weights of linear interpolation along one side."""
  place = np.arange(new) * ((old - 1) / max(new - 1, 1))
  return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(old)))
