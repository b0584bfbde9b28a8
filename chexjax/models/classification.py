"""The classification module: backbone, FPN and one saliency head per class."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from chexjax import ops
from chexjax.models.densenet import DenseNet
from chexjax.models.detection import KEPT
from chexjax.models.fpn import FPN
from chexjax.models.layers import (
  BatchNorm,
  Conv,
  Moments,
  channel_moments,
  leaky_relu,
  norm_factor,
)
from chexjax.models.tracing import is_for_one_gpu

# A pytree, as `jax.tree_util.Partial` is: hidden maps `[B, h, w, hidden]` and
# saliency logits `[B, h, w]` of a finding to arrays `[B, ...]`.
Score = Callable[[jax.Array, jax.Array], Any]


@jax.custom_jvp
def _of_this_turn(x, own):
  """Return `x`, which every turn of a loop shares, as if it were its own.

  What depends on nothing else is computed before a loop. Of a bfloat16 map
  that is its float32, and every turn would read twice the bytes.
  """
  return jax.lax.optimization_barrier((x, own))[0]


_of_this_turn.defjvp(
  lambda primals, tangents: (_of_this_turn(*primals), tangents[0])
)


def add_centre_prior(saliency: jax.Array, deviation: float) -> jax.Array:
  """Add a prior of the middle to logits `[..., h, w]`; none for 0."""
  if not deviation:
    return saliency
  place = ops.log_centre_prior(*saliency.shape[-2:], deviation=deviation)
  return saliency + place.astype(saliency.dtype)


class SaliencyHead(nn.Module, kw_only=True):
  """Norm-act-conv1x1 to the hidden map, again to the saliency logits.

  The body of a scan over findings, without a carry.

  Attributes:
    hidden: channels of the hidden map.
    centre_prior: see `ClassificationModule`.
    dtype: type of the computation.
  """

  hidden: int
  centre_prior: float
  dtype: Any

  @nn.compact
  def __call__(
    self,
    carry: None,
    x: jax.Array,
    moments: Moments | None,
    train: bool,
    score: Score | None = None,
    made: tuple[jax.Array, Moments] | None = None,
  ) -> tuple[None, tuple[jax.Array, jax.Array, Any]]:
    """Map `[B, h, w, Q]` to `[B, h, w, hidden]` and logits `[B, h, w]`.

    `moments` are those of `x`, the same for all findings; None where the stored
    statistics are taken. `made` is the hidden map with its moments, if it is
    there already. The third result is that of `score`, or None.
    """
    narrow = x.dtype != jnp.promote_types(x.dtype, jnp.float32)
    if narrow and not self.is_initializing():
      x = _of_this_turn(x, self.variables["params"]["norm1"]["scale"])
    norm = functools.partial(
      BatchNorm, use_running_average=not train, dtype=self.dtype
    )
    x = leaky_relu(norm(name="norm1")(x, moments=moments))
    if made is None:
      conv1 = Conv(self.hidden, kernel=1, dtype=self.dtype, name="conv1")
      hidden, moments = checkpoint_name(conv1(x), "hidden"), None
    else:
      hidden, moments = made
    x = leaky_relu(norm(name="norm2")(hidden, moments=moments))
    saliency = Conv(1, kernel=1, dtype=self.dtype, name="conv2")(x)
    wide = jnp.promote_types(self.dtype, jnp.float32)
    saliency = saliency[..., 0].astype(wide)
    saliency = add_centre_prior(saliency, self.centre_prior)
    scored = None if score is None else score(hidden, saliency)
    return carry, (hidden, saliency, scored)


def scan_saliency_heads(
  *,
  num_classes: int,
  hidden: int,
  centre_prior: float,
  dtype: Any,
  unrolled: bool = False,
  name: str,
) -> nn.Module:
  """Build a `SaliencyHead` for each finding, one after another.

  Args:
    num_classes: findings, K.
    hidden: see `SaliencyHead`.
    centre_prior: see `ClassificationModule`.
    dtype: see `SaliencyHead`.
    unrolled: whether the heads follow each other in the program, not in a loop,
      which would copy all that the gradient needs into stacks.
    name: of the module.

  Returns:
    A module with the arguments of `SaliencyHead`. It returns None and a tuple:
    hidden maps `[B, K, h, w, hidden]`, saliency logits `[B, K, h, w]` and what
    `score` returns, `[B, K, ...]`.
  """
  # Each head norms and rectifies the merged map in its own way. A scan has
  # one such copy in memory at a time, a vmap would have all K. The hidden
  # maps, their moments and what `score` keeps are kept, so the gradient
  # computes only these copies again.
  head = nn.remat(
    SaliencyHead,
    static_argnums=(4,),
    policy=jax.checkpoint_policies.save_only_these_names(
      "hidden", "kept", *KEPT
    ),
  )
  scanned = nn.scan(
    head,
    variable_axes={"params": 0, "batch_stats": 0},
    split_rngs={"params": True},
    in_axes=(nn.broadcast,) * 4 + (0,),
    out_axes=1,
    length=num_classes,
    unroll=num_classes if unrolled else 1,
  )
  return scanned(
    hidden=hidden, centre_prior=centre_prior, dtype=dtype, name=name
  )


class ClassificationModule(nn.Module, kw_only=True):
  """Maps an image to saliency maps, and pools these to one logit per class.

  Attributes:
    num_classes: findings, K.
    block_sizes, growth, bn_size, stem: those of the DenseNet.
    fpn_features: channels of the merged map (the paper's Q).
    hidden: channels of a class's hidden map h_k.
    pooling: "lse" (paper) or "lse_lba" (released: learned sharpness).
    lse_r: sharpness of "lse".
    centre_prior: deviation, as a fraction of the side, of the Gaussian in the
      middle whose logarithm is added to the saliency logits, so that cells
      there weigh more when they are pooled; 0 (paper) for none.
    dtype: type of the computation.
    kernels: whether one GPU norms and multiplies the merged map in kernels of
      this package, where they fit.
    remat: whether the gradient computes the DenseNet's blocks again, to save
      memory.
  """

  num_classes: int = 14
  block_sizes: tuple[int, ...] = (6, 12, 24, 16)
  growth: int = 32
  bn_size: int = 4
  stem: int = 64
  fpn_features: int = 256
  hidden: int = 128
  pooling: str = "lse"
  lse_r: float = 1.0
  centre_prior: float = 0.0
  dtype: Any = jnp.float32
  kernels: bool = True
  remat: bool = False

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool, score: Score | None = None
  ) -> tuple[jax.Array, dict[str, Any]]:
    """Classify images and keep their maps.

    Args:
      images: `[B, H, W, 3]` normalised.
      train: whether statistics are taken from this batch.
      score: what is made of a finding's maps as soon as they are there.

    Returns:
      Full-image logits `[B, K]`, and `fpn` `[B, H/4, W/4, Q]`, `hidden`
      `[B, K, H/4, W/4, hidden]`, `saliency_logits` `[B, K, H/4, W/4]`; with
      `score` also its results `scored`, `[B, K, ...]`.
    """
    densenet = DenseNet(
      block_sizes=self.block_sizes,
      growth=self.growth,
      bn_size=self.bn_size,
      stem=self.stem,
      dtype=self.dtype,
      remat=self.remat,
      name="densenet",
    )
    taps = densenet(images.astype(self.dtype), train=train)
    merged = FPN(features=self.fpn_features, dtype=self.dtype, name="fpn")(taps)
    moments = channel_moments(merged) if train else None
    made = self._made(merged, moments)
    heads = scan_saliency_heads(
      num_classes=self.num_classes,
      hidden=self.hidden,
      centre_prior=self.centre_prior,
      dtype=self.dtype,
      unrolled=made is not None,
      name="saliency",
    )
    _, (hidden, saliency, scored) = heads(
      None, merged, moments, train, score, made
    )
    maps = {"fpn": merged, "hidden": hidden, "saliency_logits": saliency}
    if score is not None:
      maps["scored"] = scored
    return self._pool(saliency), maps

  def _made(self, merged, moments):
    """Make the hidden maps of all heads and their moments, if a kernel can."""
    wanted = self.kernels and is_for_one_gpu()
    if not wanted or self.is_initializing():
      return None
    from chexjax.ops import _norm_product  # It loads Pallas.

    flat = merged.reshape(-1, merged.shape[-1])
    if not _norm_product.fits(flat, self.hidden):
      return None
    params = self.variables["params"]["saliency"]
    if moments is None:
      stats = self.variables["batch_stats"]["saliency"]["norm1"]
      moments = stats["mean"], stats["var"]
    norm = params["norm1"]
    factor = norm_factor(norm["scale"], moments)
    offset = norm["bias"] - moments[0] * factor
    kernel = params["conv1"]["kernel"][:, 0, 0].astype(self.dtype)
    maps, mean, square = _norm_product.norm_product(
      flat, factor, offset, kernel
    )
    hidden = jnp.stack([x.reshape(*merged.shape[:-1], -1) for x in maps])
    return hidden, (mean, jnp.maximum(square - jnp.square(mean), 0))

  def _pool(self, saliency):
    """Pool the saliency logits `[B, K, h, w]` to logits `[B, K]`."""
    if self.pooling == "lse":
      pool = jax.vmap(jax.vmap(lambda x: ops.lse_pool(x, r=self.lse_r)))
      return pool(saliency)
    if self.pooling == "lse_lba":
      beta = self.param("beta", nn.initializers.zeros, (self.num_classes,))
      return jax.vmap(jax.vmap(ops.lse_lba_pool), (0, None))(saliency, beta)
    raise ValueError(f"pooling must be lse or lse_lba, got {self.pooling!r}")
