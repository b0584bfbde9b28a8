"""WSRPN (Müller et al. 2024): region proposals learned from labels alone."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.systems.base import Backbone, Intermediates, class_first
from chexjax.systems.wsrpn_regions import (
  any_region,
  attend_hardest,
  cell_centres,
  gaussian_masks,
  noisy_or,
  position_code,
  region_consistency,
)

_DROPOUT = 0.3
_LSE_R = 5.0
_SMALLEST = 1e-3  # side of a region, of 1 for the whole image
_CERTAIN = 1e-7  # a pooled probability keeps this much from 0 and 1


class Mlp(nn.Module):
  """Two linear layers with ReLU between them.

  Attributes:
    features: outputs.
    hidden: width between the layers.
    dropout: share that is dropped after either layer; the authors' classifier
      drops logits, too.
  """

  features: int
  hidden: int
  dropout: float = _DROPOUT

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
    """Map `[..., C]` to `[..., features]`."""
    drop = nn.Dropout(self.dropout, deterministic=not train)
    x = drop(nn.relu(nn.Dense(self.hidden, name="linear1")(x)))
    return drop(nn.Dense(self.features, name="linear2")(x))


class RegionTokens(nn.Module):
  """Learned tokens that each look for one region among the cells.

  Attributes:
    regions: tokens, R.
    hidden: width of the layers between.
  """

  regions: int
  hidden: int

  @nn.compact
  def __call__(
    self, cells: jax.Array, code: jax.Array, *, train: bool
  ) -> jax.Array:
    """Place the regions.

    Args:
      cells: `[B, h, w, d]` features, position code included.
      code: `[h, w, d]`, the position code.
      train: whether dropout is on.

    Returns:
      `[B, R, 4]`: the centre's x and y, width and height, as shares of the
      image. A centre lies within half an image of a cell.
    """
    batch, height, width, features = cells.shape
    drop = nn.Dropout(_DROPOUT, deterministic=not train)
    tokens = self.param(
      "tokens", nn.initializers.normal(1.0), (self.regions, features)
    )
    tokens = jnp.broadcast_to(tokens, (batch, *tokens.shape))
    flat = nn.LayerNorm(name="norm_cells")(cells.reshape(batch, -1, features))
    attention = nn.MultiHeadDotProductAttention(
      num_heads=math.gcd(8, features),
      dropout_rate=_DROPOUT,
      broadcast_dropout=False,
      deterministic=not train,
      name="cross_attention",
    )
    tokens += attention(nn.LayerNorm(name="norm_tokens")(tokens), flat)
    mlp = Mlp(features, self.hidden, name="token_mlp")
    tokens += mlp(nn.LayerNorm(name="norm_mlp")(tokens), train=train)

    tokens = nn.LayerNorm(name="norm_assigned")(tokens)
    query = nn.Dense(features, name="query")(tokens)
    key = nn.Dense(features, name="key")(flat)
    scores = jnp.einsum("brd,bpd->brp", query, key) / math.sqrt(features)
    weights = nn.softmax(scores)
    seen = weights @ nn.Dense(features, name="value")(flat)
    tokens = drop(nn.Dense(features, name="assigned")(seen))

    hardest = attend_hardest(weights)
    centre = hardest @ cell_centres(height, width).reshape(-1, 2)
    tokens = nn.LayerNorm(name="norm_boxes")(tokens)
    tokens += hardest @ code.reshape(-1, features)
    boxes = Mlp(4, self.hidden, dropout=0.0, name="boxes")(tokens, train=train)
    boxes = nn.sigmoid(boxes)
    sides = _SMALLEST + (1 - _SMALLEST) * boxes[..., 2:]
    return jnp.concatenate([centre + boxes[..., :2] - 0.5, sides], -1)


class Wsrpn(Backbone):
  """Classifies cells, then regions that tokens place and Gaussians pool.

  One classifier serves both. Beside the findings it has "no finding", whose
  complement multiplies each finding's probability. The regions see the cells'
  features without gradient: the backbone learns from the cells' losses.

  Attributes:
    fpn_features: width of the features, d.
    regions: R.
  """

  fpn_features: int = 256
  regions: int = 10

  @nn.compact
  def __call__(
    self, images: jax.Array, *, train: bool
  ) -> tuple[jax.Array, Intermediates]:
    """Classify normalised images `[B, H, W, 3]`.

    Returns:
      Logits `[B, K]` of the regions' noisy-OR; the maps `regions`, the
      probability that any region puts the finding at a cell, and `cells`, each
      cell's own, `[B, K, H/32, W/32]` in 0..1; `boxes` `[B, R, 4]` as of
      `RegionTokens`; and what `wsrpn_loss` reads.
    """
    hidden = 2 * self.fpn_features
    cells = self.taps(images, train=train)[-1]
    wide = jnp.promote_types(cells.dtype, jnp.float32)
    project = nn.Dense(self.fpn_features, name="project")
    cells = project(cells.astype(wide))
    code = position_code(*cells.shape[1:])
    cells += code
    norm = nn.LayerNorm(name="norm_classified")
    mlp = Mlp(self.num_classes + 1, hidden, name="classifier")

    def classify(x: jax.Array) -> jax.Array:
      return mlp(norm(x), train=train)

    of_cells = _given_a_finding(classify(cells))
    fixed = jax.lax.stop_gradient(cells)
    tokens = RegionTokens(self.regions, hidden, name="region_tokens")
    boxes = tokens(fixed, code, train=train)
    masks = gaussian_masks(boxes, *cells.shape[1:3])
    features = nn.LayerNorm(name="norm_pooled")(fixed)
    features = nn.Dense(self.fpn_features, name="pooled")(features)
    features = jnp.einsum("brhw,bhwd->brd", masks, features)
    features /= cells.shape[1] * cells.shape[2]
    of_regions = _given_a_finding(classify(features))

    embed = Mlp(self.fpn_features, hidden, name="embedding")
    flat = cells.reshape(len(cells), -1, self.fpn_features)
    flat_logits = of_cells.reshape(len(cells), -1, of_cells.shape[-1])
    pooled = noisy_or(of_regions, axis=1)
    every_region = -noisy_or(-of_regions[..., -1:], axis=1)
    return pooled[:, :-1], {
      "regions": class_first(
        any_region(nn.sigmoid(of_regions[..., :-1]), masks)
      ),
      "cells": class_first(nn.sigmoid(of_cells[..., :-1])),
      "boxes": boxes,
      "region_logits": jnp.concatenate([pooled, every_region], -1),
      "cell_logits": _pool_cells(flat_logits),
      "region_embedding": embed(_of_each(features, of_regions), train=train),
      "cell_embedding": embed(_of_each(flat, flat_logits), train=train),
      "consistency": region_consistency(of_cells, of_regions, masks),
    }


def _given_a_finding(logits: jax.Array) -> jax.Array:
  """Multiply probabilities by that of any finding, as logits `[..., K + 1]`.

  With the last logit n of "no finding", `sigmoid(c) * sigmoid(-n)` is the
  sigmoid of what is returned for c; n itself stays.
  """
  c, n = logits[..., :-1], logits[..., -1:]
  both = -jnp.logaddexp(jnp.logaddexp(-c, n), n - c)
  return jnp.concatenate([both, n], -1)


def _pool_cells(logits: jax.Array) -> jax.Array:
  """Pool probabilities `[B, P, K + 1]` by LSE, to logits `[B, K + 2]`.

  The last two: some cell has no finding, no cell has one.
  """
  p = nn.sigmoid(logits)
  p = jnp.concatenate([p, -p[..., -1:]], -1)
  pool = jax.vmap(jax.vmap(lambda x: ops.lse_pool(x[None], r=_LSE_R)))
  pooled = pool(jnp.moveaxis(p, 1, 2))
  pooled = jnp.concatenate([pooled[:, :-1], -pooled[:, -1:]], -1)
  pooled = jnp.clip(pooled, _CERTAIN, 1 - _CERTAIN)
  return jnp.log(pooled) - jnp.log1p(-pooled)


def _of_each(features: jax.Array, logits: jax.Array) -> jax.Array:
  """Pool `[B, P, d]` by each finding's probabilities, to `[B, K, d]`."""
  weights = nn.sigmoid(logits[..., :-1])
  weights /= weights.sum(1, keepdims=True) + 1
  return jnp.einsum("bpk,bpd->bkd", weights, features)
