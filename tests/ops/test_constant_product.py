"""All forms of a product with a constant matrix are the same product."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax.ops import _constant_product


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
@pytest.mark.parametrize("turned", [False, True])
def test_forms_agree(axis, turned):
  rng = np.random.default_rng(0)
  values = rng.normal(size=(7, 5)) * (rng.random((7, 5)) < 0.4)
  matrix = _constant_product.Matrix(values)
  shape = [2, 3, 4, 6]
  shape[axis] = 7 if turned else 5
  x = jnp.asarray(rng.normal(size=shape), "float32")
  options = {
    "matrix": matrix,
    "axis": axis,
    "turned": turned,
    "precision": None,
  }
  want = np.moveaxis(
    np.tensordot(values.T if turned else values, x, (1, axis)), 0, axis
  )
  for form in ("_dense", "_batched", "_read"):
    found = getattr(_constant_product, form)(x, **options)
    np.testing.assert_allclose(found, want, atol=1e-5, err_msg=form)


def test_a_gpu_transposes_no_map():
  matrix = _constant_product.Matrix(np.eye(5)[:3])
  pool = jax.jit(
    jax.vmap(lambda x: _constant_product.multiply(matrix, x, axis=0))
  )
  traced = pool.trace(jnp.ones((2, 5, 4, 6)))
  text = {
    platform: traced.lower(lowering_platforms=(platform,)).as_text()
    for platform in ("cpu", "cuda", "tpu")
  }
  assert "batching_dims = [0] x [0]" in text["cuda"]
  assert "transpose" not in text["cuda"]
  assert "batching_dims" not in text["tpu"]
  assert "dot" not in text["cpu"]
