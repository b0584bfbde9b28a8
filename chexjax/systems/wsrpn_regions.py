"""The regions of WSRPN: where they are, what they hold, how they are pooled."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

# Probabilities of a region at a cell count from here on in the consistency.
_LEAST = 1e-3
# Sums are divided by this at least; its square is a float32.
_LITTLE = 1e-12


def cell_centres(height: int, width: int) -> jax.Array:
  """Return x and y of each cell's centre, `[h, w, 2]` in 0..1."""
  y, x = jnp.meshgrid(
    (jnp.arange(height) + 0.5) / height,
    (jnp.arange(width) + 0.5) / width,
    indexing="ij",
  )
  return jnp.stack([x, y], -1)


def position_code(height: int, width: int, features: int) -> jax.Array:
  """Encode each cell's row and column by sines and cosines (Vaswani 2017).

  Args:
    height: of the map, h.
    width: of the map, w.
    features: d; the first half tells the row, the second the column.

  Returns:
    `[h, w, d]` in -1..1.
  """
  waves = math.ceil(features / 4)
  rates = 10_000.0 ** (-jnp.arange(waves) / waves)

  def encode(count: int) -> jax.Array:
    phase = jnp.arange(count)[:, None] * rates
    return jnp.concatenate([jnp.sin(phase), jnp.cos(phase)], -1)

  shape = (height, width, 2 * waves)
  rows = jnp.broadcast_to(encode(height)[:, None], shape)
  columns = jnp.broadcast_to(encode(width)[None], shape)
  return jnp.concatenate([rows, columns], -1)[..., :features]


def attend_hardest(weights: jax.Array) -> jax.Array:
  """Take the cell with the most attention, with the attention's gradient.

  Args:
    weights: `[..., P]`, softmax over cells.

  Returns:
    `[..., P]`, 1 at the maximum and 0 elsewhere (straight-through).
  """
  hard = jax.nn.one_hot(weights.argmax(-1), weights.shape[-1])
  return weights + jax.lax.stop_gradient(hard - weights)


def gaussian_masks(boxes: jax.Array, height: int, width: int) -> jax.Array:
  """Draw each box as a Gaussian that is 1 at its highest cell.

  Args:
    boxes: `[B, R, 4]`: centre x and y, width and height, as shares of the
      image. The sides are the Gaussian's scales: `exp(-(dx / w)^2)`.
    height: of the map, h.
    width: of the map, w.

  Returns:
    `[B, R, h, w]` in 0..1.
  """
  grid = cell_centres(height, width)
  centre, sides = boxes[:, :, None, None, :2], boxes[:, :, None, None, 2:]
  power = -jnp.square((grid - centre) / sides).sum(-1)
  return jnp.exp(power - power.max((2, 3), keepdims=True))


def noisy_or(logits: jax.Array, *, axis: int) -> jax.Array:
  """Pool to the logit of `1 - prod(1 - sigmoid(logits))` along an axis.

  No product is formed: nothing saturates, and no gradient is lost, until the
  probability is below 1e-30.
  """
  total = jnp.maximum(jax.nn.softplus(logits).sum(axis), 1e-30)
  large = total > 1
  above = total + jnp.log1p(-jnp.exp(-jnp.where(large, total, 1.0)))
  return jnp.where(
    large, above, jnp.log(jnp.expm1(jnp.where(large, 1.0, total)))
  )


def any_region(given: jax.Array, masks: jax.Array) -> jax.Array:
  """Compute the probability that any region puts a finding at a cell.

  Args:
    given: `[B, R, K]` in 0..1, each region's findings.
    masks: `[B, R, h, w]` in 0..1.

  Returns:
    `[B, h, w, K]` in 0..1: noisy-OR of probabilities times masks.
  """
  return 1 - (1 - masks[..., None] * given[:, :, None, None]).prod(1)


def region_consistency(
  cells: jax.Array, regions: jax.Array, masks: jax.Array
) -> jax.Array:
  """Measure how far the regions are from what the cells say of each place.

  At a cell a region has its probabilities times its mask; what is left of the
  mask is "no finding". Regions are joined by noisy-OR, "no finding" by the
  product. Both sides are normed to distributions over findings.

  Args:
    cells: `[B, h, w, K + 1]` logits, the last of "no finding"; no gradient.
    regions: `[B, R, K + 1]` logits.
    masks: `[B, R, h, w]` in 0..1.

  Returns:
    `[B]`: the Kullback-Leibler divergence from the regions to the cells, the
    mean over cells. The regions' probabilities count as 1e-3 at least.
  """
  want = nn.sigmoid(jax.lax.stop_gradient(cells))
  want /= jnp.maximum(want.sum(-1, keepdims=True), _LITTLE)
  given = nn.sigmoid(regions)
  got = any_region(given[..., :-1], masks)
  # 1 - m + m p of "no finding", of every region at once.
  none = (1 - masks * (1 - given[:, :, None, -1:])).prod(1)
  got = jnp.concatenate([got, none[..., None]], -1)
  got /= jnp.maximum(got.sum(-1, keepdims=True), _LITTLE)
  got = jnp.maximum(got, _LEAST)
  divergence = jax.scipy.special.xlogy(want, want) - want * jnp.log(got)
  return divergence.sum(-1).mean((1, 2))
