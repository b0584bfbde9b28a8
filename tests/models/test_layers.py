"""Norms, activations and the saliency heads: values and gradients."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax.models import fpn
from chexjax.models.classification import scan_saliency_heads
from chexjax.models.layers import BatchNorm, channel_moments, leaky_relu


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


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
def test_the_slope_of_leaky_relu_is_a_tenth_or_exactly_one(dtype):
  with jax.enable_x64(True):
    x = jnp.array([-3, -1e-30, -0.0, 0, 1e-30, 5], dtype)
    g = jnp.array([1.5, -7, 3, 0.25, 11, -13], dtype)
    y, back = jax.vjp(leaky_relu, x)
    tenth = jnp.asarray(0.1, dtype)
    np.testing.assert_array_equal(y, jnp.where(x >= 0, x, tenth * x))
    (found,) = back(g)
    np.testing.assert_array_equal(found[2:], g[2:])
    # In bfloat16 the slope is nearer to 0.1 than its bfloat16 is.
    rtol = 4e-3 if dtype == "bfloat16" else 1e-6
    np.testing.assert_allclose(
      found[:2].astype("float64"), 0.1 * g[:2].astype("float64"), rtol=rtol
    )
    _, along = jax.jvp(leaky_relu, (x,), (g,))
    np.testing.assert_array_equal(along, found)


def test_saliency_heads_in_bfloat16_have_the_gradients_of_float32():
  rng = np.random.default_rng(0)
  merged = jnp.asarray(rng.normal(size=(2, 8, 8, 16)), "bfloat16")

  def gradients(dtype):
    heads = scan_saliency_heads(
      num_classes=3, hidden=8, centre_prior=0.0, dtype=dtype, name=None
    )
    x = merged.astype(dtype)
    given = None, x, channel_moments(x), True, None, None
    variables = heads.init(jax.random.key(0), *given)

    def loss(params, x):
      (_, (hidden, logits, _)), _ = heads.apply(
        variables | {"params": params},
        *(None, x, channel_moments(x), True, None, None),
        mutable=["batch_stats"],
      )
      weight = np.cos(np.arange(logits.size)).reshape(logits.shape)
      return (logits * weight).sum() + jnp.square(hidden).astype("f4").mean()

    found = jax.jit(jax.grad(loss, argnums=(0, 1)))(variables["params"], x)
    return jax.tree.leaves(found)

  for narrow, wide in zip(gradients("bfloat16"), gradients("float32")):
    narrow, wide = np.asarray(narrow, "f4"), np.asarray(wide)
    # A bfloat16 has 8 bits; some cancel in the sums.
    assert np.linalg.norm(narrow - wide) < 0.05 * np.linalg.norm(wide)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_tpu_repeats_pixels_by_products(dtype, monkeypatch):
  x = jax.random.normal(jax.random.key(0), (2, 3, 5, 4), dtype)
  lowered = jax.jit(fpn.upsample_nearest).trace(x)
  text = {
    platform: lowered.lower(lowering_platforms=(platform,)).as_text()
    for platform in ("cpu", "cuda", "tpu")
  }
  assert "dot_general" in text["tpu"]
  assert not any("dot_general" in text[each] for each in ("cpu", "cuda"))
  want, back = jax.vjp(fpn.upsample_nearest, x)
  monkeypatch.setattr(
    jax.lax, "platform_dependent", lambda x, *, default, tpu: tpu(x)
  )
  got, back_by_products = jax.vjp(fpn.upsample_nearest, x)
  np.testing.assert_array_equal(got, want)
  g = jax.random.normal(jax.random.key(1), want.shape, dtype)
  # Sums of four numbers, in another order.
  np.testing.assert_allclose(
    back_by_products(g)[0].astype("f4"),
    back(g)[0].astype("f4"),
    atol=0.05 if dtype == "bfloat16" else 1e-6,
  )
