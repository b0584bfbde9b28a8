"""The detection module's head and the crop classifier."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax.models.layers import Activation, BatchNorm, Conv, leaky_relu
from chexjax.models.resnet import ResNet


def _score_init(key, shape, dtype=jnp.float32):
  return 0.01 + 0.01 * jax.random.normal(key, shape, dtype)


class DetectionHead(nn.Module):
  """Scores and refines pooled regions, with one set of weights for all.

  Attributes:
    features: channels between the convolution and the two linear layers.
    dtype: type of the convolution; scores and deltas are at least float32.
  """

  features: int = 64
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, pooled: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Maps `[..., P, P, C]` to scores `[...]` and deltas `[..., 4]`."""
    flat = pooled.reshape(-1, *pooled.shape[-3:])
    x = Conv(self.features, use_bias=True, dtype=self.dtype, name="conv")(flat)
    x = nn.relu(x).max((1, 2))
    x = x.astype(jnp.promote_types(self.dtype, jnp.float32))
    x = x.reshape(*pooled.shape[:-3], self.features)
    score = nn.Dense(1, use_bias=False, kernel_init=_score_init, name="score")
    delta = nn.Dense(4, kernel_init=nn.initializers.zeros, name="delta")
    return score(x)[..., 0], delta(x)


class CropHead(nn.Module):
  """One class's two-layer classifier of a crop's pooled features."""

  hidden: int
  dtype: Any

  @nn.compact
  def __call__(self, x: jax.Array, train: bool) -> jax.Array:
    """Maps `[B, C]` to logits `[B]`."""
    norm = {"use_running_average": not train, "dtype": self.dtype}
    x = BatchNorm(**norm, name="norm1")(x)
    x = nn.Dropout(0.5, deterministic=not train)(x)
    x = nn.relu(nn.Dense(self.hidden, dtype=self.dtype, name="linear1")(x))
    x = BatchNorm(**norm, name="norm2")(x)
    x = nn.Dropout(0.5, deterministic=not train)(x)
    return nn.Dense(1, dtype=self.dtype, name="linear2")(x)[..., 0]


class CropClassifier(nn.Module):
  """ResNet over the crop of each class, then a head per class.

  Attributes:
    stage_sizes, width, act: of the ResNet.
    hidden: width of a class's head.
    dtype: type of the computation.
  """

  stage_sizes: tuple[int, ...] = (3, 4, 6, 3)
  width: int = 64
  act: Activation = leaky_relu
  hidden: int = 512
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, crops: jax.Array, *, train: bool) -> jax.Array:
    """Maps `[B, K, S, S, 3]` crops to `[B, K]` float32 logits."""
    batch, num_classes = crops.shape[:2]
    flat = crops.reshape(-1, *crops.shape[2:]).astype(self.dtype)
    x = ResNet(
      self.stage_sizes, self.width, self.act, self.dtype, name="resnet"
    )(flat, train=train)
    x = jnp.concatenate([x.max((1, 2)), x.mean((1, 2))], -1)
    logits = nn.vmap(
      CropHead,
      variable_axes={"params": 0, "batch_stats": 0},
      split_rngs={"params": True, "dropout": True},
      in_axes=(1, None),
      out_axes=1,
      axis_size=num_classes,
    )(self.hidden, self.dtype, name="heads")(
      x.reshape(batch, num_classes, -1), train
    )
    return logits.astype(jnp.promote_types(self.dtype, jnp.float32))
