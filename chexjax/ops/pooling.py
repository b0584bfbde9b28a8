"""Pooling of a map of logits to one logit: log-sum-exp and noisy-OR."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_positive, check_shape


def lse_pool(logits: jax.Array, *, r: float | jax.Array = 1.0) -> jax.Array:
  """Pool between the mean (r -> 0) and the maximum (r -> infinity).

  Args:
    logits: `[h, w]` of one finding.
    r: scalar, the sharpness, positive.

  Returns:
    Scalar `log(mean(exp(r * logits))) / r` (Pinheiro & Collobert 2015). As
    `jax.nn.logsumexp`, except that it averages, not adds, so that the size of
    the map does not matter.

  Raises:
    ValueError: if an argument has another shape, such as a batch of maps, or
      `r` is a number that is not positive. A `jax.Array`, traced or not, is
      not read: an `r` of 0 in it gives NaN.

  Example:
    >>> logits = jnp.array([[0.0, 0.0], [0.0, 4.0]])
    >>> [round(float(lse_pool(logits, r=r)), 2) for r in (0.01, 1.0, 100.0)]
    [1.02, 2.67, 3.99]
  """
  check_shape("logits", logits, "[h, w]")
  check_shape("r", r, "[]")
  check_positive("r", r)
  return (jax.nn.logsumexp(r * logits) - jnp.log(logits.size)) / r


def log_centre_prior(height: int, width: int, *, deviation: float) -> jax.Array:
  """Return what makes a pooled map believe its middle rather than its border.

  Added to a map of logits before `lse_pool` with r = 1, it turns the mean over
  all cells into one that a Gaussian in the middle weighs.

  Args:
    height: of the map, in cells.
    width: of the map, in cells.
    deviation: of the Gaussian, positive, as a fraction of each side.

  Returns:
    `[height, width]` float32, the logarithm of weights whose mean is 1.

  Raises:
    ValueError: if `deviation` is not positive.
  """
  check_positive("deviation", deviation)

  def line(length: int) -> jax.Array:
    place = (jnp.arange(length, dtype=jnp.float32) + 0.5) / length - 0.5
    log = -((place / deviation) ** 2) / 2
    return log - jax.nn.logsumexp(log) + jnp.log(length)

  return line(height)[:, None] + line(width)


def lse_lba_pool(
  logits: jax.Array, beta: jax.Array, *, r0: float = 0.0
) -> jax.Array:
  """Pool with a learned sharpness (LSE-LBA, Yao et al. 2018).

  Args:
    logits: `[h, w]` of one finding.
    beta: scalar, learned; the sharpness is `r0 + exp(beta)`.
    r0: lower bound of the sharpness, 0 or more.

  Returns:
    Scalar, as `lse_pool` with that sharpness.

  Raises:
    ValueError: if an argument has another shape, or `r0` is a negative number;
      a `jax.Array`, traced or not, is not read.
  """
  check_shape("beta", beta, "[]")
  check_positive("r0", r0, or_zero=True)
  return lse_pool(logits, r=r0 + jnp.exp(beta))


def noisy_or_pool(logits: jax.Array, *, share: float = 0.02) -> jax.Array:
  """Pool patches by noisy-OR: a finding is there if any patch has it.

  Args:
    logits: `[h, w]` of one finding; a patch's probability p is their sigmoid.
    share: what a certain patch takes from the probability that nothing is
      there, in 0..1. A patch's factor is `1 - share * p`, so that the product
      over a few hundred patches does not vanish.

  Returns:
    Scalar, the logit of `1 - prod(1 - share * p)` (Li et al. 2018, with the
    patches' factors mapped to `[1 - share, 1]`). No product is formed: it is
    finite for all finite logits, and so is its gradient.

  Raises:
    ValueError: if `logits` has another shape, such as a batch of maps, or
      `share` is not in 0..1, 0 left out.
  """
  check_shape("logits", logits, "[h, w]")
  if not 0 < share < 1:
    raise ValueError(f"share must be in 0..1, got {share}")
  taken = share * jax.nn.sigmoid(logits)
  # -log(1 - taken) is `taken` times a ratio near 1, which where a patch's
  # probability underflows is 1.
  small = taken < 1e-6
  safe = jnp.where(small, 0.5, taken)
  ratio = jnp.where(small, 1.0, -jnp.log1p(-safe) / safe)
  log_each = jax.nn.log_sigmoid(logits) + jnp.log(share * ratio)
  log_sum = jax.nn.logsumexp(log_each)
  # log(expm1(total)); neither form is finite everywhere, nor is its gradient.
  total = jnp.exp(log_sum)
  large, tiny = total > 1, total < 1e-6
  above = total + jnp.log1p(-jnp.exp(-jnp.where(large, total, 1.0)))
  middle = jnp.where(large | tiny, 1.0, total)
  below = log_sum + jnp.where(tiny, 0.0, jnp.log(jnp.expm1(middle) / middle))
  return jnp.where(large, above, below)
