"""In the manner of Yao et al. 2018: maps at several resolutions, LSE-LBA."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.models.fpn import upsample_nearest
from chexjax.models.layers import BatchNorm, Conv, max_pool_3x3
from chexjax.systems.base import Intermediates, class_first

_SCALES = (1, 2, 4, 8)  # channels, in units of the stem, at 1/8 to 1/64
_LAYERS = 2  # of each dense block
_LEAST = 1e-6  # a score nearer to 0 or 1 has no gradient


class Yao2018(nn.Module, kw_only=True):
  """Residual encoder to 1/64, dense decoder back to 1/8, sigmoid, pooling.

  It has a backbone of its own and begins from scratch, as its authors'. The
  sigmoid comes before the pooling, so that the pooled value is the score.

  Attributes:
    num_classes: findings, K.
    growth: channels that a dense layer adds.
    bn_size: width of a dense layer's bottleneck, in units of growth.
    stem: channels at 1/8 of the image; the others are multiples of it.
    r0: lower bound of the pooling's sharpness.
    dtype: type of the convolutions.
  """

  num_classes: int = 14
  growth: int = 32
  bn_size: int = 4
  stem: int = 64
  r0: float = 10.0
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]` of the pooled scores; `lse_lba`, each cell's
      probability, `[B, K, H/8, W/8]`.
    """
    x = Conv(self.stem, kernel=7, strides=2, dtype=self.dtype, name="conv0")(
      images.astype(self.dtype)
    )
    x = max_pool_3x3(self._norm_relu(x, "norm0", train))
    laterals = []
    for level, scale in enumerate(_SCALES, 3):
      x = self._residual(x, scale * self.stem, f"residual{level}", train)
      laterals.append(self._dense(x, f"lateral{level}", train))
    merged = laterals.pop()
    for level in (5, 4, 3):
      lateral = laterals.pop()
      upper = upsample_nearest(merged)[
        :, : lateral.shape[1], : lateral.shape[2]
      ]
      merged = jnp.concatenate([lateral, upper], -1)
      merged = self._dense(merged, f"merged{level}", train)
      width = _SCALES[level - 3] * self.stem
      merged = Conv(width, kernel=1, dtype=self.dtype, name=f"narrow{level}")(
        merged
      )
    last = Conv(
      self.num_classes, kernel=1, use_bias=True, dtype=self.dtype, name="last"
    )
    # Without the norm a few large steps can leave every cell below 0.
    x = last(self._norm_relu(merged, "norm_last", train))
    cells = class_first(x.astype(jnp.promote_types(x.dtype, jnp.float32)))
    probability = jax.nn.sigmoid(cells)
    beta = self.param("beta", nn.initializers.zeros, (self.num_classes,))
    pool = functools.partial(ops.lse_lba_pool, r0=self.r0)
    scores = jax.vmap(jax.vmap(pool), (0, None))(probability, beta)
    scores = jnp.clip(scores, _LEAST, 1 - _LEAST)
    return jnp.log(scores) - jnp.log1p(-scores), {"lse_lba": probability}

  def _norm_relu(self, x: jax.Array, name: str, train: bool) -> jax.Array:
    norm = BatchNorm(use_running_average=not train, dtype=self.dtype, name=name)
    return nn.relu(norm(x))

  def _residual(
    self, x: jax.Array, width: int, name: str, train: bool
  ) -> jax.Array:
    """Halve `[B, h, w, C]` by a residual block of two 3x3 convolutions."""
    y = self._norm_relu(x, f"{name}_norm1", train)
    short = Conv(
      width, kernel=1, strides=2, dtype=self.dtype, name=f"{name}_short"
    )(y)
    y = Conv(width, strides=2, dtype=self.dtype, name=f"{name}_conv1")(y)
    y = self._norm_relu(y, f"{name}_norm2", train)
    return short + Conv(width, dtype=self.dtype, name=f"{name}_conv2")(y)

  def _dense(self, x: jax.Array, name: str, train: bool) -> jax.Array:
    """Append the channels of two dense layers to `[B, h, w, C]`."""
    for layer in range(1, _LAYERS + 1):
      y = self._norm_relu(x, f"{name}_norm{layer}a", train)
      y = Conv(
        self.bn_size * self.growth,
        kernel=1,
        dtype=self.dtype,
        name=f"{name}_conv{layer}a",
      )(y)
      y = self._norm_relu(y, f"{name}_norm{layer}b", train)
      y = Conv(self.growth, dtype=self.dtype, name=f"{name}_conv{layer}b")(y)
      x = jnp.concatenate([x, y], -1)
    return x
