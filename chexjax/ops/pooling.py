"""Log-sum-exp pooling of saliency logits to one logit."""

import chex
import jax
import jax.numpy as jnp


def lse_pool(logits: jax.Array, *, r: float | jax.Array = 1.0) -> jax.Array:
  """Pools between the mean (r -> 0) and the maximum (r -> infinity).

  Args:
    logits: `[H, W]`.
    r: sharpness, positive.

  Returns:
    Scalar `log(mean(exp(r * logits))) / r` (Pinheiro & Collobert 2015).
  """
  chex.assert_rank(logits, 2)
  return (jax.nn.logsumexp(r * logits) - jnp.log(logits.size)) / r


def lse_lba_pool(
  logits: jax.Array, beta: jax.Array, *, r0: float = 0.0
) -> jax.Array:
  """Pools with a learned sharpness (LSE-LBA, Yao et al. 2018).

  Args:
    logits: `[H, W]`.
    beta: scalar, learned; the sharpness is `r0 + exp(beta)`.
    r0: lower bound of the sharpness.

  Returns:
    Scalar, as `lse_pool`.
  """
  return lse_pool(logits, r=r0 + jnp.exp(beta))
