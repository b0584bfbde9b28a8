"""Balanced binary cross entropy, and the log-variance loss of the scores."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import (
  check_positive,
  check_same_shape,
  check_shape,
)


def balance_weights(
  positives: jax.Array, total: float
) -> tuple[jax.Array, jax.Array]:
  """Weigh each finding's positives by the share of its negatives.

  Args:
    positives: `[K]` number of positive training images per finding.
    total: training images (paper). The released code takes the count of all
      label occurrences, `No Finding` included.

  Returns:
    `beta_pos = 1 - positives / total` and `beta_neg = positives / total`,
    `[K]` each, in 0..1. As scikit-learn's `class_weight="balanced"`, except
    that the two weights sum to 1.

  Raises:
    ValueError: if `positives` has another shape, or `total` is a number that
      is not positive; a `jax.Array`, traced or not, is not read.
  """
  positives = jnp.asarray(positives, jnp.float32)
  check_shape("positives", positives, "[K]")
  check_positive("total", total)
  share = positives / total
  return 1 - share, share


def balanced_bce(
  logits: jax.Array,
  labels: jax.Array,
  *,
  beta_pos: jax.Array | float = 1.0,
  beta_neg: jax.Array | float = 1.0,
) -> jax.Array:
  """Compute the weighted binary cross entropy from logits.

  Args:
    logits: `[..., K]`; stable at any finite value.
    labels: `[..., K]` in 0..1, of the shape of `logits`.
    beta_pos: `[K]` or scalar weight of the positive term.
    beta_neg: `[K]` or scalar weight of the negative term.

  Returns:
    `[..., K]` elementwise loss, at least 0, not reduced. As
    `torch.nn.BCEWithLogitsLoss(pos_weight)`, with a weight on either term.

  Raises:
    ValueError: if an argument has another shape.

  Example:
    >>> labels = jnp.array([[1.0, 0.0, 0.0, 0.0]]).T  # one finding, four films
    >>> pos, neg = balance_weights(labels.sum(0), len(labels))
    >>> pos.tolist(), neg.tolist()
    ([0.75], [0.25])
    >>> logits = jnp.zeros((4, 1))
    >>> loss = balanced_bce(logits, labels, beta_pos=pos, beta_neg=neg)
    >>> [round(float(x), 3) for x in loss[:, 0]]
    [0.52, 0.173, 0.173, 0.173]
  """
  check_shape("logits", logits, "[..., K]")
  check_same_shape("labels", labels, "logits", logits)
  for name, beta in (("beta_pos", beta_pos), ("beta_neg", beta_neg)):
    if jnp.ndim(beta):
      check_shape(name, beta, "[K]", K=logits.shape[-1])
  positive = beta_pos * labels * jax.nn.softplus(-logits)
  negative = beta_neg * (1 - labels) * jax.nn.softplus(logits)
  return positive + negative


def log_variance(scores: jax.Array, evidence: jax.Array) -> jax.Array:
  """Measure how far scores are from evidence, up to a constant.

  Where it is 0, the softmax of the scores is proportional to the exponential
  of the evidence: the distribution with the most evidence plus entropy. In
  expectation over samples of that softmax, its gradient is the one of the
  Kullback-Leibler divergence, each sample judged against the mean of the
  others (Richter et al. 2020, "VarGrad"); other samples have the same minimum.

  Args:
    scores: `[..., M]` of M sampled regions, at least 2.
    evidence: `[..., M]` log-evidence of the same regions; no gradient.

  Returns:
    `[...]`, half of the unbiased variance of the differences, at least 0.

  Raises:
    ValueError: if the shapes differ, or M is less than 2: the variance of one
      number is 0 / 0.
  """
  check_shape("scores", scores, "[..., M]")
  check_same_shape("evidence", evidence, "scores", scores)
  if scores.shape[-1] < 2:
    raise ValueError(
      f"scores must be [..., M] with M of at least 2, got {scores.shape}"
    )
  difference = scores - jax.lax.stop_gradient(evidence)
  return jnp.var(difference, axis=-1, ddof=1) / 2
