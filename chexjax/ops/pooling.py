"""Log-sum-exp pooling of saliency logits to one logit."""

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
  """
  check_shape("logits", logits, "[h, w]")
  check_shape("r", r, "[]")
  check_positive("r", r)
  return (jax.nn.logsumexp(r * logits) - jnp.log(logits.size)) / r


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
