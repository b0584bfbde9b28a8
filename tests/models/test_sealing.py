"""A sealed part computes what it would have in the open, and keeps less."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.ad_checkpoint import checkpoint_name
from small_models import random_variables

from chexjax import models
from chexjax.models._cpu import apart, sealed

ONE_CPU = models.for_platform("cpu")
NETWORKS = {
  "densenet": lambda dtype: models.DenseNet(
    block_sizes=(2, 2), growth=3, bn_size=2, stem=4, dtype=dtype
  ),
  "resnet": lambda dtype: models.ResNet(
    stage_sizes=(2, 1), width=3, dtype=dtype
  ),
}


def loss_of(name, dtype):
  """Return a training loss of parameters, with the new statistics."""
  net = NETWORKS[name](dtype)
  images = jax.random.normal(jax.random.key(0), (2, 32, 32, 3), dtype)
  variables = random_variables(
    jax.eval_shape(lambda: net.init(jax.random.key(1), images, train=True))
  )

  def loss(params):
    maps, updates = net.apply(
      variables | {"params": params}, images, train=True, mutable="batch_stats"
    )
    return sum((x**2).mean() for x in jax.tree.leaves(maps)), updates

  return loss, variables["params"]


@pytest.mark.parametrize("name", NETWORKS)
def test_sealed_networks_equal_open_ones(name):
  with jax.enable_x64(True):
    loss, params = loss_of(name, jnp.float64)
    grad = jax.value_and_grad(loss, has_aux=True)
    closed = jax.jit(ONE_CPU(grad))(params)
    opened = jax.jit(grad)(params)
  assert jax.tree.structure(closed) == jax.tree.structure(opened)
  for a, b in zip(jax.tree.leaves(closed), jax.tree.leaves(opened)):
    # The same sums in another order, in float64.
    scale = max(1.0, float(np.abs(np.asarray(b)).max()))
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("name", NETWORKS)
def test_initial_weights_do_not_depend_on_the_devices(name):
  net, image = NETWORKS[name](jnp.float32), jnp.zeros((1, 32, 32, 3))

  def init(key):
    return net.init(key, image, train=False)

  key = jax.random.key(0)
  jax.tree.map(
    np.testing.assert_array_equal,
    jax.jit(ONE_CPU(init))(key),
    jax.jit(init)(key),
  )


def test_a_sealed_densenet_keeps_less():
  loss, params = loss_of("densenet", jnp.float32)

  def kept():
    residuals = jax.eval_shape(
      lambda p: jax.vjp(loss, p, has_aux=True)[1], params
    )
    return sum(leaf.size for leaf in jax.tree.leaves(residuals))

  closed = ONE_CPU(kept)()
  # Not the activated norms; what is around the two small blocks stays.
  assert closed < 0.75 * kept()


class Part(nn.Module):
  """Has in it a call of its own, `where`."""

  @sealed
  def __call__(self, x, *, power):
    y = checkpoint_name(jnp.sin(x), "kept")
    return jnp.where(y > 0, y**power, y)


# Forwards and backwards, twice each; on several devices they would hang.
@pytest.mark.parametrize(("devices", "calls"), [(1, 4), (2, 0)])
def test_calls_stay_calls_and_what_they_call_does_not(devices, calls):
  def part(x):
    return Part().apply({}, x, power=2)

  def loss(x):
    return part(part(x)).sum()

  x = jnp.linspace(-1, 1, 8)
  where = models.for_platform("cpu", devices=devices)
  text = jax.jit(where(jax.grad(loss))).lower(x).compile().as_text()
  assert text.count(" call(") == calls


def test_apart_takes_trees():
  double = apart(lambda tree, none: (jax.tree.map(lambda x: 2 * x, tree), none))
  got, none = jax.jit(ONE_CPU(double))(
    {"a": jnp.ones(2), "b": (jnp.zeros(3),)}, None
  )
  assert none is None
  np.testing.assert_array_equal(got["a"], 2)


@pytest.mark.parametrize("platform", ["tpu", "cuda"])
def test_a_sealed_program_is_refused_elsewhere(platform):
  def part(x):
    return Part().apply({}, x, power=2)

  x = jnp.ones(8)
  closed, opened = jax.jit(ONE_CPU(part)).trace(x), jax.jit(part).trace(x)
  with pytest.raises(ValueError, match=f"is lowered for {platform}: give"):
    closed.lower(lowering_platforms=(platform,))
  assert "inlineable" not in str(
    opened.lower(lowering_platforms=(platform,)).as_text()
  )
