"""The quick forms of a convolution equal XLA's own, in every derivative."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax.models._cpu import conv
from chexjax.ops._primitive import plain_forms

# Height, width, side of the kernel, strides: one of each form.
SHAPES = [
  (1, 1, 3, 1), (2, 3, 3, 1), (3, 3, 5, 1), (6, 5, 3, 1), (9, 8, 7, 1),
  (17, 16, 3, 1), (8, 8, 3, 2), (2, 2, 3, 2), (4, 4, 3, 2), (9, 10, 7, 2),
  (9, 11, 3, 3), (4, 5, 1, 1), (5, 6, 1, 2),
]  # fmt: skip


def plain(x, kernel, *, strides):
  pad = kernel.shape[0] // 2
  return jax.lax.conv_general_dilated(
    x, kernel, (strides, strides), [(pad, pad)] * 2,
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )  # fmt: skip


def operands(height, width, size, features=4):
  rng = np.random.default_rng(0)
  x = rng.normal(size=(2, height, width, 3))
  kernel = rng.normal(size=(size, size, 3, features))
  return jnp.asarray(x), jnp.asarray(kernel)


def assert_equal(ours, theirs):
  """The sums are the same, in another order, in float64."""
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-11),
    ours,
    theirs,
  )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("features", [1, 4])
def test_derivatives_equal_xla(shape, features):
  *sides, strides = shape
  with jax.enable_x64(True):
    at = operands(*sides, features)
    along = jax.tree.map(jnp.cos, at)

    def of(function):
      def loss(x, kernel):
        y = function(x, kernel, strides=strides)
        return jnp.sin(y).sum(), y

      gradient = jax.grad(loss, argnums=(0, 1), has_aux=True)

      @jax.jit
      def found(at, along):
        # The gradient, the value, and how both change: the Hessian's product
        # and the derivative forwards.
        return jax.jvp(lambda x, kernel: gradient(x, kernel), at, along)

      return found(at, along)

    assert_equal(of(conv), of(plain))


@pytest.mark.parametrize("shape", [(6, 5, 3, 1), (8, 8, 3, 2), (4, 5, 1, 1)])
@pytest.mark.parametrize("axes", [(0, None), (None, 0), (1, 4)], ids=str)
def test_batched_derivatives_equal_xla(shape, axes):
  """Under `vmap`, which comes before or after the gradient."""
  *sides, strides = shape
  with jax.enable_x64(True):
    at = tuple(
      one if axis is None else jnp.stack([one, 2 * one, -one], axis)
      for one, axis in zip(operands(*sides), axes)
    )

    def of(function):
      one = functools.partial(function, strides=strides)

      def loss(x, kernel):
        return jnp.sin(one(x, kernel)).sum()

      batched = jax.vmap(loss, axes)

      def total(x, kernel):
        return batched(x, kernel).sum()

      @jax.jit
      def found(x, kernel):
        after = jax.vmap(jax.grad(loss, argnums=(0, 1)), axes)(x, kernel)
        before = jax.grad(total, argnums=(0, 1))(x, kernel)
        return batched(x, kernel), after, before

      return found(*at)

    assert_equal(of(conv), of(plain))


@pytest.mark.parametrize("strides", [1, 2])
def test_a_program_for_another_platform_has_the_plain_form(strides):
  def loss(x, kernel):
    return jnp.sin(conv(x, kernel, strides=strides)).sum()

  traced = jax.jit(jax.grad(loss, argnums=(0, 1))).trace(*operands(8, 8, 3))
  text = traced.lower(lowering_platforms=("tpu",)).as_text()
  # The convolution and its two gradients, and no product of shifted copies.
  assert text.count("stablehlo.convolution") == 3
  assert "dot_general" not in text
  assert "concatenate" not in text
  # Here there is such a product.
  assert "dot_general" in traced.lower().as_text()


def test_an_exported_program_runs_on_its_platforms():
  x, kernel = operands(8, 8, 3)
  program = jax.export.export(jax.jit(conv), platforms=("cpu", "tpu"))(
    x, kernel
  )
  np.testing.assert_allclose(
    program.call(x, kernel), plain(x, kernel, strides=1), atol=1e-5
  )


@pytest.mark.parametrize("size", [1, 3])
def test_plain_forms_are_nothing_but_lax(size):
  gradient = jax.grad(lambda x, k: conv(x, k).sum(), (0, 1))
  with plain_forms():
    program = jax.make_jaxpr(gradient)(*operands(8, 8, size))
  named = {equation.primitive.name for equation in program.eqns}
  assert {"conv_general_dilated", "dot_general"} & named
  assert not [name for name in named if name.startswith("convolution")]
