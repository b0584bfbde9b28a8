"""The kernels that norm and multiply at once; without a GPU JAX does it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from chexjax.ops._norm_product import fits, norm_product
from chexjax.runtime import compile_cache, operation_count

PIXELS, CHANNELS, HEADS, FEATURES = 384, 256, 2, 16


def operands():
  rng = np.random.default_rng(0)
  x = rng.normal(size=(PIXELS, CHANNELS))
  factor, offset = rng.normal(size=(2, HEADS, CHANNELS))
  kernel = rng.normal(size=(HEADS, CHANNELS, FEATURES)) / 16
  narrow, wide = jnp.bfloat16, jnp.float32
  return [
    jnp.asarray(values, dtype)
    for values, dtype in zip(
      (x, factor, offset, kernel), (narrow, wide, wide, narrow)
    )
  ]


def one_after_another(x, factor, offset, kernel):
  """As `norm_product`, in float32."""
  x, kernel = x.astype(jnp.float32), kernel.astype(jnp.float32)
  y = x * factor[:, None] + offset[:, None]
  products = jnp.where(y >= 0, y, 0.1 * y) @ kernel
  return list(products), products.mean(1), jnp.square(products).mean(1)


def test_products_moments_and_gradients_are_those_of_plain_operations():
  given = operands()
  want, back = jax.vjp(one_after_another, *given)
  interpret = jax.default_backend() != "gpu"
  got, back_there = jax.vjp(lambda *x: norm_product(*x, interpret), *given)
  assert [each.dtype for each in got[0]] == [jnp.bfloat16] * HEADS
  rng = np.random.default_rng(1)
  cotangents = jax.tree.map(
    lambda x: jnp.asarray(rng.normal(size=x.shape), jnp.bfloat16), got
  )

  def of_type(like):
    return jax.tree.map(lambda c, x: c.astype(x.dtype), cotangents, like)

  want = jax.tree.leaves((want, back(of_type(want))))
  got = jax.tree.leaves((got, back_there(of_type(got))))
  assert len(want) == len(got) == HEADS + 6
  for a, b in zip(want, got):
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    # The normed map, the results and their gradients are bfloat16's, of 8 bits.
    np.testing.assert_allclose(b, a, atol=0.01 * np.abs(a).max())


def test_kernels_are_lowered_for_a_gpu_and_their_work_is_counted():
  def both(*given):
    results, back = jax.vjp(norm_product, *given)
    return back(results)

  step = jax.jit(both)
  # As what was traced is kept for the next start.
  exported = export.export(
    step, platforms=["cuda"], disabled_checks=[compile_cache._KERNELS]
  )(*operands())
  assert export.deserialize(exported.serialize()).platforms == ("cuda",)
  assert exported.mlir_module().count("xla.gpu.triton") == 2 + HEADS
  one = 2 * PIXELS * CHANNELS * HEADS * FEATURES
  assert (
    operation_count.count(step.trace(*operands()).jaxpr.jaxpr).flops == 3 * one
  )


@pytest.mark.parametrize(
  ("shape", "dtype", "features", "expected"),
  [
    ((256, 128), "bfloat16", 64, True),
    ((256, 128), "float32", 64, False),
    ((200, 128), "bfloat16", 64, False),
    ((256, 96), "bfloat16", 64, False),
    ((256, 128), "bfloat16", 48, False),
    ((2**24, 128), "bfloat16", 64, False),
  ],
)
def test_tiles_must_fit(shape, dtype, features, expected):
  assert fits(jax.ShapeDtypeStruct(shape, dtype), features) == expected
