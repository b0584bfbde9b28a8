"""Every op gives the same under jit and vmap, and finite gradients at edges."""

import functools

import jax
import numpy as np
import pytest
from op_cases import CASES, WITHOUT_ARRAYS, public_ops


def draw(shapes, seed):
  rng = np.random.default_rng(seed)
  return [rng.uniform(0, 9, shape).astype(np.float32) for shape in shapes]


def test_no_public_op_is_left_out():
  assert set(CASES) | WITHOUT_ARRAYS == public_ops()


@pytest.mark.parametrize("name", CASES)
def test_jit_and_vmap_change_nothing(name):
  function, shapes = CASES[name]
  batch = [np.stack(pair) for pair in zip(draw(shapes, 0), draw(shapes, 1))]
  each = [function(*(x[i] for x in batch)) for i in range(2)]
  close = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-4)
  close(jax.jit(function)(*(x[0] for x in batch)), each[0])
  close(jax.jit(jax.vmap(function))(*batch), np.stack(each))


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_finite_on_constant_input(name):
  function, shapes = CASES[name]
  gradient = jax.jit(
    jax.grad(lambda *x: function(*x).sum(), argnums=tuple(range(len(shapes))))
  )
  for value in (0.0, 1.0, 10.0):
    grads = gradient(*(np.full(shape, value, np.float32) for shape in shapes))
    assert all(np.isfinite(g).all() for g in grads), value
