"""RoIAlign over the proposals: every derivative, every platform, checks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops


def general(features, output_size):
  """Pool by the general op, whose derivatives are JAX's own."""
  boxes = ops.make_proposals(features.shape[0] * 4, features.shape[1] * 4)
  boxes = jnp.asarray(boxes, features.dtype)
  return ops.roi_align(features, boxes, output_size=output_size)


@pytest.mark.parametrize("output_size", [2, (1, 3)])
def test_derivatives_equal_those_of_the_general_op(output_size):
  with jax.enable_x64(True):
    rng = np.random.default_rng(0)
    at, along = (jnp.asarray(rng.normal(size=(2, 8, 12, 2))) for _ in range(2))

    def of(pool):
      def loss(features):
        pooled = jax.vmap(lambda x: pool(x, output_size=output_size))(features)
        return jnp.sin(pooled).sum(), pooled

      gradient = jax.grad(loss, has_aux=True)
      found = jax.jit(lambda x, t: jax.jvp(gradient, (x,), (t,)))(at, along)
      linear = jax.linearize(lambda x: loss(x)[0], at)[1]
      return found, linear(along)

    jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-10),
      of(ops.roi_align_proposals),
      of(general),
    )


def test_forward_jacobian_equals_reverse():
  with jax.enable_x64(True):
    features = jnp.asarray(np.random.default_rng(0).normal(size=(4, 4, 1)))

    def pool(x):
      return ops.roi_align_proposals(x, output_size=1)

    # Both are the constant matrix.
    np.testing.assert_allclose(
      jax.jacfwd(pool)(features), jax.jacrev(pool)(features), atol=1e-15
    )


def test_a_program_for_another_platform_multiplies():
  def loss(x):
    return jnp.sin(ops.roi_align_proposals(x)).sum()

  traced = jax.jit(jax.grad(loss)).trace(jnp.ones((8, 8, 2)))
  text = traced.lower(lowering_platforms=("tpu",)).as_text()
  assert "dot_general" in text
  assert "gather" not in text
  here = traced.lower().as_text()
  assert "dot_general" not in here
  assert "gather" in here


def test_height_and_width_of_the_grid():
  features = jnp.asarray(np.random.default_rng(0).normal(size=(8, 8, 2)))
  boxes = jnp.array([[3.0, 5.0, 20.0, 30.0]])

  def pool(height, width, ratio):
    return ops.roi_align(
      features, boxes, output_size=(height, width), sampling_ratio=ratio
    )[0]

  # A bin's samples are four bins of one sample.
  fine = pool(4, 6, 1).reshape(2, 2, 3, 2, 2).mean((1, 3))
  np.testing.assert_allclose(pool(2, 3, 2), fine, atol=1e-6)
  np.testing.assert_array_equal(
    pool(3, 3, 2), ops.roi_align(features, boxes, output_size=3)[0]
  )


@pytest.mark.parametrize(
  ("features", "boxes", "message"),
  [
    ((1, 2, 8, 8), (3, 4), r"features must be \[H, W, C\].*\(1, 2, 8, 8\)"),
    ((8, 8, 2), (3, 5), r"boxes must be \[N, 4\].*\(3, 5\)"),
    ((8, 8, 2), (4,), r"boxes must be \[N, 4\].*\(4,\)"),
  ],
)
def test_a_wrong_shape_is_named(features, boxes, message):
  with pytest.raises(ValueError, match=message):
    ops.roi_align(jnp.ones(features), jnp.ones(boxes))


def test_a_box_that_is_no_number_is_named():
  boxes = np.zeros((3, 4))
  boxes[1, 2] = np.nan
  with pytest.raises(ValueError, match=r"boxes must be finite, got nan at \(1"):
    ops.roi_align(jnp.zeros((8, 8, 1)), boxes)


def test_a_wrong_shape_of_the_fixed_grid_is_named():
  with pytest.raises(ValueError, match=r"features must be .*\(2, 8, 8, 2\)"):
    ops.roi_align_proposals(jnp.ones((2, 8, 8, 2)))


@pytest.mark.parametrize("size", [0, 2.5, (2, 0), (1, 2, 3)])
def test_a_wrong_size_is_named(size):
  with pytest.raises(ValueError, match="output_size must be"):
    ops.roi_align(jnp.ones((8, 8, 2)), jnp.ones((1, 4)), output_size=size)
