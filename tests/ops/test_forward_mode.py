"""Forward mode of every op, against its reverse mode, in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from op_cases import CASES, Boxes

# Constants by design; everything else must have a derivative to test.
WITHOUT_GRADIENT = {"pick_region", "saliency_scores"}
# These return float32 whatever they are given.
FLOAT32 = {"normalize", "augment", "balance_weights"}
# Its forward mode is tested beside its own gradients.
NAMES = [name for name in CASES if name != "roi_align_proposals"]


def tolerance(name, order=1):
  """Return the error that rounding explains, relative to the norms.

  It is some 50 roundings of a sum; a second derivative divides by areas and
  temperatures twice.
  """
  if name in FLOAT32:
    return 1e-6
  return {1: 1e-14, 2: 1e-11}[order]


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


def draw(shape, rng):
  """Return an array of 0..9, boxes with x1 < x2 and y1 < y2."""
  values = rng.uniform(0, 9, shape)
  if isinstance(shape, Boxes):
    low, high = np.split(values, 2, -1)
    values = np.concatenate([np.minimum(low, high), np.maximum(low, high)], -1)
  return jnp.asarray(values)


def point_and_direction(shapes):
  rng = np.random.default_rng(5)
  point = tuple(draw(shape, rng) for shape in shapes)
  return point, tuple(jnp.asarray(rng.normal(size=s)) for s in shapes)


def norm(tree):
  return np.sqrt(sum(np.sum(np.square(x)) for x in jax.tree.leaves(tree)))


def inner(a, b):
  pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
  return sum(np.vdot(x, y) for x, y in pairs)


@pytest.mark.parametrize("name", NAMES)
def test_jvp_and_linearize_are_the_transpose_of_vjp(name):
  """<J v, w> is <v, J^T w> for any v and w."""
  function, shapes = CASES[name]
  point, direction = point_and_direction(shapes)
  push = jax.jit(functools.partial(jax.jvp, function))
  value, pushed = push(point, direction)
  assert value.dtype == (np.float32 if name in FLOAT32 else np.float64)
  weights = np.random.default_rng(6).normal(size=value.shape)
  weights = jnp.asarray(weights, value.dtype)
  pulled = jax.jit(lambda x, w: jax.vjp(function, *x)[1](w))(point, weights)
  difference = inner(pushed, weights) - inner(direction, pulled)
  assert abs(difference) <= tolerance(name) * norm(pushed) * norm(weights)
  linear = jax.linearize(function, *point)[1](*direction)
  assert norm(linear - pushed) <= tolerance(name) * norm(pushed)
  assert (norm(pushed) > 0) == (name not in WITHOUT_GRADIENT)
  for constant in (0.0, 1.0):
    flat = tuple(jnp.full(shape, constant) for shape in shapes)
    assert np.isfinite(push(flat, direction)[1]).all(), constant


@pytest.mark.parametrize("name", NAMES)
def test_jacobians_of_both_modes_agree(name):
  function, shapes = CASES[name]
  point, _ = point_and_direction(shapes)
  places = tuple(range(len(shapes)))
  forward, reverse = (
    jax.jit(jacobian(function, places))(*point)
    for jacobian in (jax.jacfwd, jax.jacrev)
  )
  for f, r in zip(forward, reverse, strict=True):
    assert norm(f - r) <= tolerance(name) * norm(forward)


def hessian_products(function):
  """Return one Hessian-vector product either way, of a sum of squares."""

  def loss(x):
    return (function(*x) ** 2).sum()

  def forward_over_reverse(x, v):
    return jax.jvp(jax.grad(loss), (x,), (v,))[1]

  def reverse_over_forward(x, v):
    return jax.grad(lambda y: jax.jvp(loss, (y,), (v,))[1])(x)

  return jax.jit(
    lambda x, v: (forward_over_reverse(x, v), reverse_over_forward(x, v))
  )


@pytest.mark.parametrize("name", NAMES)
def test_hessian_vector_products_agree_and_are_finite_on_constants(name):
  function, shapes = CASES[name]
  point, direction = point_and_direction(shapes)
  products = hessian_products(function)
  one, other = products(point, direction)
  error = norm(jax.tree.map(jnp.subtract, one, other))
  assert error <= tolerance(name, order=2) * norm(one)
  assert (norm(one) > 0) == (name not in WITHOUT_GRADIENT)
  for value in (0.0, 1.0):
    flat = tuple(jnp.full(shape, value) for shape in shapes)
    found = jax.tree.leaves(products(flat, direction))
    assert all(np.isfinite(x).all() for x in found), value
