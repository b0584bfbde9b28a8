"""The detection module's head and the crop classifier."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from chexjax import ops
from chexjax.models.layers import Activation, BatchNorm, Conv, leaky_relu
from chexjax.models.resnet import ResNet


def _score_init(key, shape, dtype=jnp.float32):
  return 0.01 + 0.01 * jax.random.normal(key, shape, dtype)


class DetectionHead(nn.Module):
  """Pools, scores and refines the proposals of one finding.

  The body of a scan over findings, without a carry, with one set of weights
  for all.

  Attributes:
    features: channels between the convolution and the two linear layers.
    roi_size: bins along each side of a pooled region.
    gate_gradient: whether the saliency gate on pooled features is trained.
    dtype: type of the convolution; scores and deltas are at least float32.
  """

  features: int
  roi_size: int
  gate_gradient: bool
  dtype: Any

  @nn.compact
  def __call__(
    self, carry: None, hidden: jax.Array, saliency: jax.Array
  ) -> tuple[None, tuple[jax.Array, jax.Array]]:
    """Maps `[B, h, w, C]` and logits `[B, h, w]` to `[B, N]`, `[B, N, 4]`."""
    pool = jax.vmap(
      lambda x: ops.roi_align_proposals(x, output_size=self.roi_size)
    )
    gate = nn.sigmoid(pool(saliency[..., None]))
    if not self.gate_gradient:
      gate = jax.lax.stop_gradient(gate)
    pooled = checkpoint_name(pool(hidden), "pooled")
    x = (pooled * gate.astype(self.dtype)).reshape(-1, *pooled.shape[2:])
    x = Conv(self.features, use_bias=True, dtype=self.dtype, name="conv")(x)
    x = nn.relu(checkpoint_name(x, "convolved")).max((1, 2))
    x = x.astype(jnp.promote_types(self.dtype, jnp.float32))
    x = x.reshape(*pooled.shape[:2], self.features)
    score = nn.Dense(1, use_bias=False, kernel_init=_score_init, name="score")
    delta = nn.Dense(4, kernel_init=nn.initializers.zeros, name="delta")
    return carry, (score(x)[..., 0], delta(x))


def scan_detection_head(
  features: int, roi_size: int, gate_gradient: bool, dtype: Any, name: str
) -> nn.Module:
  """Returns a `DetectionHead` that goes over the findings of a batch.

  It maps None, `[B, K, h, w, C]` and `[B, K, h, w]` to None and `[B, K, N]`
  scores and `[B, K, N, 4]` deltas.

  Args:
    features: see `DetectionHead`.
    roi_size: see `DetectionHead`.
    gate_gradient: see `DetectionHead`.
    dtype: see `DetectionHead`.
    name: of the module.
  """
  # One finding at a time is in memory; the gradient repeats nothing but the
  # gate and what is quick in a loop.
  head = nn.remat(
    DetectionHead,
    policy=jax.checkpoint_policies.save_only_these_names("pooled", "convolved"),
  )
  scanned = nn.scan(
    head,
    variable_broadcast="params",
    split_rngs={"params": False},
    in_axes=1,
    out_axes=1,
  )
  return scanned(features, roi_size, gate_gradient, dtype, name=name)


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
    num_classes: heads, K.
    stage_sizes, width, act: of the ResNet.
    hidden: width of a class's head.
    dtype: type of the computation.
  """

  num_classes: int
  stage_sizes: tuple[int, ...] = (3, 4, 6, 3)
  width: int = 64
  act: Activation = leaky_relu
  hidden: int = 512
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, crops: jax.Array, *, train: bool) -> jax.Array:
    """Classifies the crop of each class, or one crop for all classes.

    Args:
      crops: `[B, K, S, S, 3]`, or `[B, 1, S, S, 3]`.
      train: whether norms and dropout are in training mode.

    Returns:
      `[B, K]` float32 logits.
    """
    batch = len(crops)
    flat = crops.reshape(-1, *crops.shape[2:]).astype(self.dtype)
    x = ResNet(
      self.stage_sizes, self.width, self.act, self.dtype, name="resnet"
    )(flat, train=train)
    x = jnp.concatenate([x.max((1, 2)), x.mean((1, 2))], -1)
    x = x.reshape(batch, -1, x.shape[-1])
    x = jnp.broadcast_to(x, (batch, self.num_classes, x.shape[-1]))
    logits = nn.vmap(
      CropHead,
      variable_axes={"params": 0, "batch_stats": 0},
      split_rngs={"params": True, "dropout": True},
      in_axes=(1, None),
      out_axes=1,
      axis_size=self.num_classes,
    )(self.hidden, self.dtype, name="heads")(x, train)
    return logits.astype(jnp.promote_types(self.dtype, jnp.float32))
