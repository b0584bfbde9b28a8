"""Initial weights without a compilation are those of a compiled `init`."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax.models.detection import CropClassifier, scan_detection_head
from chexjax.runtime.drawing import draw


class Layer(nn.Module):
  @nn.compact
  def __call__(self, carry, x):
    x = nn.Dense(5, kernel_init=nn.initializers.he_normal())(x)
    return carry, nn.BatchNorm(use_running_average=True)(x)


class Everything(nn.Module):
  """Loops, maps and repeated parts around each kind of initial weights."""

  @nn.compact
  def __call__(self, x):
    split = {"split_rngs": {"params": True}, "in_axes": nn.broadcast}
    axes = {"params": 0, "batch_stats": 0}
    looped = nn.scan(nn.remat(Layer), variable_axes=axes, length=3, **split)
    x = looped(name="looped")(None, x)[1]
    mapped = nn.vmap(
      nn.Dense, variable_axes={"params": 1}, split_rngs={"params": True}
    )
    x = mapped(4, name="mapped")(x)
    tokens = self.param("tokens", nn.initializers.normal(2.0), (7, 4))
    other = self.param("other", nn.initializers.uniform(0.1), (3,))
    return x.sum() + tokens.sum() + other.sum()


def check(function, key):
  want, got = jax.jit(function)(key), draw(function, key)
  assert jax.tree.structure(want) == jax.tree.structure(got)
  for mine, theirs in zip(jax.tree.leaves(got), jax.tree.leaves(want)):
    assert isinstance(mine, np.ndarray)
    assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
    # A program of its own for each operation rounds more often.
    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["threefry2x32", "rbg"])
def test_values_are_those_of_the_compiled_function(kind):
  check(
    lambda key: Everything().init(key, jnp.ones((2, 6))),
    jax.random.key(3, impl=kind),
  )


def test_our_heads_start_as_before():
  head = scan_detection_head(
    features=4, roi_size=2, gate_gradient=True, dtype="float32", name=None
  )
  given = jnp.ones((1, 2, 16, 16, 3)), jnp.ones((1, 2, 16, 16))
  check(lambda key: head.init(key, None, *given), jax.random.key(0))
  crops = CropClassifier(num_classes=2, stage_sizes=(1,), width=4, hidden=3)
  given = jnp.ones((1, 2, 16, 16, 3))
  check(lambda key: crops.init(key, given, train=False), jax.random.key(1))
