"""Our batch norm is flax's: values, statistics and gradients."""

import flax.linen as nn
import jax
import numpy as np
import pytest

from chexjax.models.layers import BatchNorm, channel_moments


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_batch_norm_equals_flax(train, shared):
  with jax.enable_x64(True):
    rng = np.random.default_rng(0)
    x = rng.normal(2, 3, (4, 5, 6, 3))
    variables = {
      "params": {"scale": rng.normal(size=3), "bias": rng.normal(size=3)},
      "batch_stats": {"mean": rng.normal(size=3), "var": rng.uniform(1, 2, 3)},
    }

    def ours(x):
      norm = BatchNorm(use_running_average=not train, dtype=x.dtype)
      moments = channel_moments(x) if shared and train else None
      return norm, {"moments": moments}

    def flax(x):
      norm = nn.BatchNorm(
        use_running_average=not train, momentum=0.9, epsilon=1e-5
      )
      return norm, {}

    def of(build):
      def loss(params, x):
        norm, more = build(x)
        y, updates = norm.apply(
          variables | {"params": params}, x, **more, mutable=["batch_stats"]
        )
        weight = np.cos(np.arange(y.size)).reshape(y.shape)
        return (y * weight).sum(), (y, updates)

      return jax.grad(loss, argnums=(0, 1), has_aux=True)(
        variables["params"], jax.numpy.asarray(x)
      )

    jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-12),
      of(ours),
      of(flax),
    )
