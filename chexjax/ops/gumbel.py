"""Straight-through Gumbel-softmax over the proposals' scores."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_positive, check_same_shape, check_shape


def straight_through(hard: jax.Array, soft: jax.Array) -> jax.Array:
  """Return `hard` in value with the gradient of `soft` (Bengio et al. 2013).

  Args:
    hard: of any shape.
    soft: of the same shape.

  Returns:
    The same shape; equal to `hard` up to the rounding of one addition.

  Raises:
    ValueError: if the shapes differ.
  """
  check_same_shape("soft", soft, "hard", hard)
  return jax.lax.stop_gradient(hard) + soft - jax.lax.stop_gradient(soft)


def pick_region(scores: jax.Array) -> jax.Array:
  """Mark the highest score, the first one where scores tie.

  Args:
    scores: `[..., N]`, in any unit.

  Returns:
    `[..., N]` one-hot, without gradient: `jax.nn.one_hot` of the `argmax`.

  Raises:
    ValueError: if `scores` has no axis.
  """
  check_shape("scores", scores, "[..., N]")
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
  """Sample one region of an image, differentiably (Jang et al. 2017).

  Args:
    key: of the Gumbel noise.
    scores: `[N]` unnormalised log-probabilities.
    tau: see `sample_regions`.
    noise_scale: see `sample_regions`.

  Returns:
    `[N]` one-hot; as a row of `sample_regions`.

  Raises:
    ValueError: if `scores` has another number of axes, and as
      `sample_regions`.

  Example:
    >>> scores = jnp.array([0.0, 2.0, 0.0])
    >>> sample_region(jax.random.key(0), scores, noise_scale=0.0).tolist()
    [0.0, 1.0, 0.0]
    >>> keys = jax.random.split(jax.random.key(1), 500)
    >>> draws = jax.vmap(sample_region, (0, None))(keys, scores)
    >>> bool(0.7 < draws[:, 1].mean() < 0.87)  # exp(2) / (exp(2) + 2) = 0.79
    True
  """
  check_shape("scores", scores, "[N]")
  return sample_regions(key, scores, tau=tau, noise_scale=noise_scale)


def sample_regions(
  key: jax.Array,
  scores: jax.Array,
  *,
  tau: float | jax.Array = 1.0,
  noise_scale: float = 1.0,
) -> jax.Array:
  """Sample one region for each row of scores, each with noise of its own.

  Args:
    key: of the Gumbel noise.
    scores: `[..., N]` unnormalised log-probabilities.
    tau: temperature of the softmax that the gradient goes through, positive.
    noise_scale: factor on the noise; 0 picks the highest score.

  Returns:
    `[..., N]` one-hot; its gradient is that of the tempered softmax. As
    `torch.nn.functional.gumbel_softmax(hard=True)`, except for `noise_scale`.

  Raises:
    ValueError: if `scores` has no axis, or `tau` is a number that is not
      positive, or `noise_scale` a negative one. A `jax.Array`, traced or not,
      is not read: a `tau` of 0 in it gives NaN.
  """
  check_shape("scores", scores, "[..., N]")
  check_positive("tau", tau)
  check_positive("noise_scale", noise_scale, or_zero=True)
  noise = noise_scale * jax.random.gumbel(key, scores.shape, scores.dtype)
  noisy = scores + noise
  # Shifted before the division, so that a tiny tau cannot overflow.
  shifted = noisy - jax.lax.stop_gradient(noisy.max(-1, keepdims=True))
  return straight_through(pick_region(noisy), jax.nn.softmax(shifted / tau))


def exponential_tau(
  progress: float | jax.Array, *, start: float = 1.0, end: float = 1e-3
) -> jax.Array:
  """Return the temperature, annealed exponentially from `start` to `end`.

  Args:
    progress: share of the training that is done; clipped to 0..1.
    start: temperature at 0, positive.
    end: temperature at 1, positive.

  Returns:
    The temperature, of `progress`' shape. As `optax.exponential_decay`, except
    that it is told the end, not the rate, and a share, not a step.

  Raises:
    ValueError: if `start` or `end` is a number that is not positive; a
      `jax.Array`, traced or not, is not read.
  """
  check_positive("start", start)
  check_positive("end", end)
  return start * (end / start) ** jnp.clip(progress, 0, 1)
