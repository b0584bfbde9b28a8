"""Grad-CAM and Grad-CAM++ of our own model, on its hidden maps."""

from typing import Any

import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.models.classification import add_centre_prior
from chexjax.models.layers import BatchNorm, Conv, leaky_relu
from chexjax.models.model import ChexModel


def saliency_cams(
  model: ChexModel, variables: Any, hidden: jax.Array
) -> dict[str, jax.Array]:
  """Draw both maps from what a finding's last convolution reads.

  A finding's logit depends on its own hidden map alone, so one gradient per
  finding is enough.

  Args:
    model: whose hidden maps they are.
    variables: of the model; norms take the stored statistics.
    hidden: `[B, K, h, w, C]`, an intermediate of the model.

  Returns:
    `grad_cam` and `grad_cam_plus_plus`, `[B, K, h, w]` float32.
  """
  heads = {
    group: of["classification"]["saliency"] for group, of in variables.items()
  }
  beta = jnp.zeros(model.num_classes)
  if model.pooling == "lse_lba":
    beta = variables["params"]["classification"]["beta"]

  def of_finding(
    head: Any, beta: jax.Array, features: jax.Array
  ) -> tuple[jax.Array, jax.Array]:
    def logit(x: jax.Array) -> jax.Array:
      norm = {
        "params": head["params"]["norm2"],
        "batch_stats": head["batch_stats"]["norm2"],
      }
      normed: Any = BatchNorm(use_running_average=True).apply(norm, x[None])
      conv = {"params": head["params"]["conv2"]}
      saliency: Any = Conv(1, kernel=1).apply(conv, leaky_relu(normed))
      cells = add_centre_prior(saliency[0, ..., 0], model.centre_prior)
      if model.pooling == "lse_lba":
        return ops.lse_lba_pool(cells, beta)[None]
      return ops.lse_pool(cells, r=model.lse_r)[None]

    return (
      ops.grad_cam(logit, features)[0],
      ops.grad_cam_plus_plus(logit, features)[0],
    )

  wide = hidden.astype(jnp.promote_types(hidden.dtype, jnp.float32))
  per_finding = jax.vmap(of_finding)
  maps = jax.vmap(per_finding, (None, None, 0))(heads, beta, wide)
  return dict(zip(("grad_cam", "grad_cam_plus_plus"), maps))
