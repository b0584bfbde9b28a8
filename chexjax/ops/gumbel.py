"""Straight-through Gumbel-softmax over the proposals' scores."""

import jax
import jax.numpy as jnp


def straight_through(hard: jax.Array, soft: jax.Array) -> jax.Array:
  """Returns `hard` in value with the gradient of `soft`.

  Args:
    hard: any shape.
    soft: the same shape.

  Returns:
    The same shape.
  """
  return jax.lax.stop_gradient(hard) + soft - jax.lax.stop_gradient(soft)


def pick_region(scores: jax.Array) -> jax.Array:
  """Marks the highest score, the first one where scores tie.

  Args:
    scores: `[..., N]`.

  Returns:
    `[..., N]` one-hot, without gradient.
  """
  return jax.nn.one_hot(
    jnp.argmax(scores, -1), scores.shape[-1], dtype=scores.dtype
  )


def sample_region(
  key: jax.Array,
  scores: jax.Array,
  *,
  tau: float | jax.Array = 1.0,
  noise_scale: float = 1.0,
) -> jax.Array:
  """Samples one region per row, differentiably (Jang et al. 2017).

  Args:
    key: of the Gumbel noise.
    scores: `[..., N]` unnormalised log-probabilities.
    tau: temperature of the softmax that the gradient goes through, positive.
    noise_scale: factor on the noise; 0 picks the highest score.

  Returns:
    `[..., N]` one-hot; its gradient is that of the tempered softmax. As
    `torch.nn.functional.gumbel_softmax(hard=True)`, except for `noise_scale`.
  """
  noise = noise_scale * jax.random.gumbel(key, scores.shape, scores.dtype)
  noisy = scores + noise
  # Shifted before the division, so that a tiny tau cannot overflow.
  shifted = noisy - jax.lax.stop_gradient(noisy.max(-1, keepdims=True))
  return straight_through(pick_region(noisy), jax.nn.softmax(shifted / tau))


def exponential_tau(
  progress: float | jax.Array, *, start: float = 1.0, end: float = 1e-3
) -> jax.Array:
  """Anneals the temperature exponentially from `start` to `end`.

  Args:
    progress: share of the training that is done; clipped to 0..1.
    start: temperature at 0.
    end: temperature at 1.

  Returns:
    The temperature, of `progress`' shape.
  """
  return start * (end / start) ** jnp.clip(progress, 0, 1)
