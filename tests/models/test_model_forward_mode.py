"""The model is differentiated forwards, and twice, as well as backwards."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_models import random_variables

from chexjax.models import ChexModel

# Small enough for a test, with each form of a convolution in it: maps of 32 x
# 32 pixels and of one, strides, 1x1 kernels, two levels of the pyramid.
TINY = {
  "num_classes": 2, "block_sizes": (1, 1), "growth": 4, "bn_size": 2,
  "stem": 4, "fpn_features": 6, "hidden": 4, "detection_features": 4,
  "roi_size": 2, "crop_size": 8, "crop_stages": (1, 1), "crop_width": 4,
  "crop_hidden": 4,
}  # fmt: skip
# Of a central difference in float64, with terms near 1: its own error is near
# 1e-10, and what is lost in rounding near 1e-16 / STEP.
STEP, TOLERANCE = 1e-5, 1e-7


@pytest.fixture(autouse=True)
def double():
  with jax.enable_x64(True):
    yield


@functools.cache
def case():
  """Return a model, images, parameters, statistics and a direction."""
  model = ChexModel(**TINY, dtype=jnp.float64)
  images = jax.random.normal(jax.random.key(0), (2, 64, 64, 3), jnp.float64)
  shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), images))
  variables, direction = (
    jax.tree.map(jnp.float64, random_variables(shapes, seed)) for seed in (0, 1)
  )
  params, stats = variables["params"], variables["batch_stats"]
  return model, images, params, stats, direction["params"]


def loss_of(*, stage, train):
  """Return a scalar function of the parameters."""
  model, images, _, stats, _ = case()

  def loss(params):
    (logits, found), _ = model.apply(
      {"params": params, "batch_stats": stats},
      images,
      stage=stage,
      train=train,
      mutable=["batch_stats"],
      rngs={"region": jax.random.key(1), "dropout": jax.random.key(2)},
    )
    used = [logits, found["saliency_logits"], found.get("proposal_scores")]
    return sum(jnp.sin(x).mean() for x in jax.tree.leaves(used))

  return loss


def dot(x, y):
  return sum(jnp.vdot(a, b) for a, b in zip(*map(jax.tree.leaves, (x, y))))


@pytest.mark.parametrize(
  ("stage", "train"), [(1, True), (2, True), (3, True), (3, False)]
)
def test_forward_equals_reverse(stage, train):
  """The derivative along a direction is the gradient's product with it."""
  _, _, params, _, direction = case()
  loss = loss_of(stage=stage, train=train)

  @jax.jit
  def both(params, direction):
    value, slope = jax.jvp(loss, (params,), (direction,))
    same, gradient = jax.value_and_grad(loss)(params)
    return (value, slope), (same, dot(gradient, direction))

  forward, reverse = both(params, direction)
  # The same sums in another order.
  np.testing.assert_allclose(forward, reverse, rtol=1e-10)


@pytest.mark.parametrize(("stage", "train"), [(1, True), (3, False)])
def test_a_hessian_product_equals_finite_differences(stage, train):
  _, _, params, _, direction = case()
  gradient = jax.jit(jax.grad(loss_of(stage=stage, train=train)))

  @jax.jit
  def product(params, direction):
    return jax.jvp(gradient, (params,), (direction,))[1]

  def gradient_at(step):
    moved = jax.tree.map(lambda p, d: p + step * d, params, direction)
    return gradient(moved)

  ahead, behind = gradient_at(STEP), gradient_at(-STEP)
  found = product(params, direction)
  assert max(np.abs(x).max() for x in jax.tree.leaves(found)) > 1
  jax.tree.map(
    lambda f, a, b: np.testing.assert_allclose(
      f, (a - b) / (2 * STEP), rtol=1e-5, atol=TOLERANCE
    ),
    found, ahead, behind,
  )  # fmt: skip


def test_a_hessian_product_equals_the_gradient_of_a_slope():
  """With sampled regions, whose hard choice finite differences do not see."""
  _, _, params, _, direction = case()
  gradient = jax.grad(loss_of(stage=3, train=True))

  @jax.jit
  def both(params, direction):
    forward = jax.jvp(gradient, (params,), (direction,))[1]
    return forward, jax.grad(lambda p: dot(gradient(p), direction))(params)

  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-10),
    *both(params, direction),
  )


def test_a_linearized_model_equals_its_derivative():
  _, _, params, _, direction = case()
  loss = loss_of(stage=3, train=False)

  @jax.jit
  def both(params, direction):
    value, linear = jax.linearize(loss, params)
    return (value, linear(direction)), jax.jvp(loss, (params,), (direction,))

  linear, forward = both(params, direction)
  np.testing.assert_allclose(linear, forward, rtol=1e-10)


def test_jacobians_agree():
  """Of the logits, by the kernel in front of all saliency logits."""
  model, images, params, stats, _ = case()
  head = params["classification"]["saliency"]

  def logits(kernel):
    saliency = head | {"conv1": {"kernel": kernel}}
    changed = params["classification"] | {"saliency": saliency}
    variables = {
      "params": params | {"classification": changed},
      "batch_stats": stats,
    }
    return model.apply(variables, images)[0].full

  kernel = head["conv1"]["kernel"]
  forward, reverse = jax.jit(
    lambda x: (jax.jacfwd(logits)(x), jax.jacrev(logits)(x))
  )(kernel)
  assert np.abs(forward).max() > 1e-3
  np.testing.assert_allclose(forward, reverse, rtol=0, atol=1e-12)


def test_one_image_at_a_time_equals_the_batch():
  """Under `vmap`, in value and in the derivative along a direction."""
  model, images, params, stats, direction = case()

  def logits(params, images):
    variables = {"params": params, "batch_stats": stats}
    return model.apply(variables, images)[0]

  def forward(images):
    return jax.jvp(
      lambda params: logits(params, images), (params,), (direction,)
    )

  single = jax.jit(jax.vmap(lambda image: forward(image[None])))(images)
  whole = jax.jit(forward)(images)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a[:, 0], b, rtol=0, atol=1e-12),
    single,
    whole,
  )
