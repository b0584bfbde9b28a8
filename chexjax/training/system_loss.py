"""The loss of a system that is trained in one stage."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_same_shape
from chexjax.systems import Intermediates, System, Truth


def system_loss(
  system: System,
  logits: jax.Array,
  found: Intermediates,
  labels: jax.Array,
  mask: jax.Array,
  *,
  beta_pos: jax.Array,
  beta_neg: jax.Array,
  cls_scale: float = 1.0,
  boxes: jax.Array | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
  """Average a system's losses over the known pairs of example and finding.

  Args:
    system: whose loss it is.
    logits: `[B, K]` of the full images.
    found: intermediates of the system.
    labels: `[B, K]` in 0..1; NaN where not known.
    mask: `[B]`, how much an example weighs; 0 for padding.
    beta_pos: `[K]` weights of `ops.balance_weights`.
    beta_neg: `[K]` weights of `ops.balance_weights`.
    cls_scale: factor on the loss.
    boxes: of `Truth`; None unless the system trains on boxes.

  Returns:
    The scalar loss, 0 without a known pair; and `loss_cls` and `loss`.

  Raises:
    ValueError: the system's loss is not `[B, K]`.
  """
  known = ~jnp.isnan(labels) & (mask[:, None] > 0)
  truth = Truth(
    jnp.where(known, labels, 0),
    known.astype(labels.dtype),
    beta_pos,
    beta_neg,
    boxes,
  )
  losses = system.loss(logits, found, truth)
  check_same_shape("the system's losses", losses, "labels", labels)
  weights = known * mask[:, None]
  losses = jnp.where(known, losses * weights, 0)
  loss = cls_scale * losses.sum() / jnp.maximum(weights.sum(), 1)
  return loss, {"loss_cls": loss, "loss": loss}
