"""The detection module's head and the crop classifier."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from chexjax import ops
from chexjax.models.layers import Activation, BatchNorm, Conv, leaky_relu
from chexjax.models.resnet import ResNet
from chexjax.models.tracing import is_for_one_gpu
from chexjax.ops._precision import for_type as precision_for

# What the gradient of a detection head does not compute again.
KEPT = ("pooled", "convolved")


def _score_init(key, shape, dtype=jnp.float32):
  return 0.01 + 0.01 * jax.random.normal(key, shape, dtype)


def _of_rows(x, kernel, dimensions, precision):
  """Multiply `[B, N, C]` by a matrix as `jax.lax.dot_general` does.

  XLA fails to tile a GPU's product whose rows it gathers from two axes.
  """
  del dimensions
  rows = x.reshape(-1, x.shape[-1])
  product = jnp.matmul(rows, kernel, precision=precision)
  return jax.lax.optimization_barrier(product).reshape(*x.shape[:-1], -1)


class DetectionHead(nn.Module, kw_only=True):
  """Pools, scores and refines the proposals of one finding.

  The body of a scan over findings, without a carry. All findings share one set
  of weights.

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
    """Map `[B, h, w, C]` and logits `[B, h, w]` to `[B, N]`, `[B, N, 4]`."""
    pool = jax.vmap(
      lambda x: ops.roi_align_proposals(x, output_size=self.roi_size)
    )
    gate = nn.sigmoid(pool(saliency[..., None]))
    if not self.gate_gradient:
      gate = jax.lax.stop_gradient(gate)
    pooled = checkpoint_name(pool(hidden), "pooled")
    x = (pooled * gate.astype(self.dtype)).reshape(-1, *pooled.shape[2:])
    conv = Conv(self.features, use_bias=True, dtype=self.dtype, name="conv")
    x = nn.relu(checkpoint_name(conv(x), "convolved")).max((1, 2))
    x = x.astype(jnp.promote_types(self.dtype, jnp.float32))
    x = x.reshape(*pooled.shape[:2], self.features)
    # Small products that decide where the boxes are.
    linear = functools.partial(nn.Dense, precision="highest")
    score = linear(1, use_bias=False, kernel_init=_score_init, name="score")
    product = _of_rows if is_for_one_gpu() else None
    zeros = nn.initializers.zeros
    delta = linear(4, kernel_init=zeros, dot_general=product, name="delta")
    return carry, (score(x)[..., 0], delta(x))


def scan_detection_head(
  *,
  features: int,
  roi_size: int,
  gate_gradient: bool,
  dtype: Any,
  name: str,
) -> nn.Module:
  """Build a `DetectionHead` that goes over the findings of a batch.

  Args:
    features: see `DetectionHead`.
    roi_size: see `DetectionHead`.
    gate_gradient: see `DetectionHead`.
    dtype: see `DetectionHead`.
    name: of the module.

  Returns:
    A module that maps None, hidden maps `[B, K, h, w, C]` and saliency logits
    `[B, K, h, w]` to None and a pair: scores `[B, K, N]` and deltas
    `[B, K, N, 4]`.
  """
  # A scan has one finding at a time in memory. The gradient computes only the
  # gate again, and what is quick in a loop.
  head = nn.remat(
    DetectionHead,
    policy=jax.checkpoint_policies.save_only_these_names(*KEPT),
  )
  scanned = nn.scan(
    head,
    variable_broadcast="params",
    split_rngs={"params": False},
    in_axes=1,
    out_axes=1,
  )
  return scanned(
    features=features,
    roi_size=roi_size,
    gate_gradient=gate_gradient,
    dtype=dtype,
    name=name,
  )


class CropHead(nn.Module, kw_only=True):
  """Classifies a crop's pooled features for one class, in two layers.

  Attributes:
    hidden: width of the hidden layer.
    dtype: type of the computation.
  """

  hidden: int
  dtype: Any

  @nn.compact
  def __call__(self, x: jax.Array, train: bool) -> jax.Array:
    """Map `[B, C]` to logits `[B]`."""
    norm = functools.partial(
      BatchNorm, use_running_average=not train, dtype=self.dtype
    )
    linear = functools.partial(
      nn.Dense, dtype=self.dtype, precision=precision_for(self.dtype)
    )
    x = norm(name="norm1")(x)
    x = nn.Dropout(0.5, deterministic=not train)(x)
    x = nn.relu(linear(self.hidden, name="linear1")(x))
    x = norm(name="norm2")(x)
    x = nn.Dropout(0.5, deterministic=not train)(x)
    return linear(1, name="linear2")(x)[..., 0]


class CropClassifier(nn.Module, kw_only=True):
  """Applies a ResNet to the crop of each class, then a head per class.

  Attributes:
    num_classes: heads, K.
    stage_sizes, width, act: those of the ResNet.
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
    """Classify the crop of each class, or one crop for all classes.

    Args:
      crops: `[B, K, S, S, 3]`, or `[B, 1, S, S, 3]`.
      train: whether norms and dropout are in training mode.

    Returns:
      `[B, K]` float32 logits.
    """
    batch = crops.shape[0]  # len() is for an int, in an export it is a symbol
    flat = crops.reshape(-1, *crops.shape[2:]).astype(self.dtype)
    resnet = ResNet(
      stage_sizes=self.stage_sizes,
      width=self.width,
      act=self.act,
      dtype=self.dtype,
      name="resnet",
    )
    x = resnet(flat, train=train)
    x = jnp.concatenate([x.max((1, 2)), x.mean((1, 2))], -1)
    x = x.reshape(batch, -1, x.shape[-1])
    x = jnp.broadcast_to(x, (batch, self.num_classes, x.shape[-1]))
    heads = nn.vmap(
      CropHead,
      variable_axes={"params": 0, "batch_stats": 0},
      split_rngs={"params": True, "dropout": True},
      in_axes=(1, None),
      out_axes=1,
      axis_size=self.num_classes,
    )(hidden=self.hidden, dtype=self.dtype, name="heads")
    logits = heads(x, train)
    return logits.astype(jnp.promote_types(self.dtype, jnp.float32))
