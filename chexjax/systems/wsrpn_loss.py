"""The five losses of WSRPN (Müller et al. 2024)."""

import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.systems.base import Intermediates, Truth

_TEMPERATURE = 0.15


def wsrpn_loss(
  logits: jax.Array, found: Intermediates, truth: Truth
) -> jax.Array:
  """Average cross entropies, contrastive losses and consistency.

  The cross entropies, of the cells and of the regions, are weighed by the
  batch's own labels, as by the authors. Each has two columns beside the
  findings: "some place has no finding", which holds for each film, and "no
  place has a finding", which holds where no label is 1.

  Args:
    logits: `[B, K]`; not read: `found` has them, with the two columns.
    found: of `Wsrpn`.
    truth: of the batch.

  Returns:
    `[B, K]`. What is one number for the batch is added to all.
  """
  del logits
  labels, known = _with_no_finding(truth)
  count, positives = known.sum(0), (labels * known).sum(0)
  weights = {
    "beta_pos": (count + 1) / (positives + 1),
    "beta_neg": (count + 1) / (count - positives + 1),
  }
  entropy = known * sum(
    ops.balanced_bce(found[name], labels, **weights)
    for name in ("cell_logits", "region_logits")
  )
  columns = labels.shape[-1]
  share = truth.labels.shape[-1] / columns
  apart = entropy[:, -2:].sum() / jnp.maximum(known[:, -2:].sum(), 1)
  whole = (1 - share) * apart
  for name in ("cell_embedding", "region_embedding"):
    whole += contrastive_loss(found[name], truth.labels, truth.known)
  films = truth.known.max(-1)
  consistency = (found["consistency"] * films).sum()
  whole += consistency / jnp.maximum(films.sum(), 1)
  return (share * entropy[:, :-2] + whole) / 5


def contrastive_loss(
  embedding: jax.Array, labels: jax.Array, known: jax.Array
) -> jax.Array:
  """Draw films of the same label together, finding by finding.

  The supervised contrastive loss (Khosla et al. 2020): each film against all
  others of the batch; those of the same label, 0 or 1, are its partners.

  Args:
    embedding: `[B, K, d]`; only directions count.
    labels: `[B, K]` in 0..1. Of labels between, the product is the share to
      which two films are partners.
    known: `[B, K]`, 1 where the label is known, else 0.

  Returns:
    The mean over known pairs of film and finding, a scalar; 0 for those that
    have no other film. It is negative only if films have no partner.
  """
  square = jnp.square(embedding).sum(-1, keepdims=True)
  unit = embedding * jax.lax.rsqrt(jnp.maximum(square, 1e-12))
  scores = jnp.einsum("ikd,jkd->kij", unit, unit) / _TEMPERATURE
  labels, known = labels.T, known.T
  others = known[:, :, None] * known[:, None] * (1 - jnp.eye(len(embedding)))
  same = labels[:, :, None] * labels[:, None]
  same += (1 - labels[:, :, None]) * (1 - labels[:, None])
  same *= others
  partners = (same * scores).sum(-1) / jnp.maximum(same.sum(-1), 1e-6)
  # Scores are in -7..7: a sum of exponentials does not overflow.
  total = (others * jnp.exp(scores)).sum(-1)
  alone = total == 0
  losses = jnp.where(alone, 0, jnp.log(jnp.where(alone, 1, total)) - partners)
  return losses.sum() / jnp.maximum(known.sum(), 1)


def _with_no_finding(truth: Truth) -> tuple[jax.Array, jax.Array]:
  """Add the two columns: `[B, K + 2]` labels, and where they are known.

  A film with a finding is known to have one, whatever else is not known.
  """
  film = truth.known.max(-1, keepdims=True)
  highest = truth.labels.max(-1, keepdims=True)
  all_known = truth.known.min(-1, keepdims=True)
  sure = film * jnp.maximum(all_known, highest == 1)
  labels = [truth.labels, jnp.ones_like(highest), 1 - highest]
  return jnp.concatenate(labels, -1), jnp.concatenate(
    [truth.known, film, sure], -1
  )
