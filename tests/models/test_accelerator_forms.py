"""What a program for a GPU or TPU computes otherwise than one for a CPU."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax.models import ChexModel, ClassificationModule, for_platform
from chexjax.models.layers import Conv
from chexjax.ops import _norm_product
from chexjax.ops._norm_product import norm_product

TINY = {
  "num_classes": 2, "block_sizes": (1,), "growth": 4, "bn_size": 2,
  "stem": 4, "fpn_features": 6, "hidden": 4, "detection_features": 4,
  "roi_size": 2, "crop_size": 8, "crop_stages": (), "crop_width": 4,
  "crop_hidden": 4,
}  # fmt: skip


def test_regions_scored_with_the_maps_are_those_scored_after_them():
  model = ChexModel(**TINY)
  rng = np.random.default_rng(0)
  images = rng.normal(size=(2, 32, 32, 3)).astype("float32")
  shapes = jax.eval_shape(lambda: model.init(jax.random.key(1), images))
  variables = jax.tree.map(
    lambda leaf: rng.normal(0, 0.4, leaf.shape).astype(leaf.dtype), shapes
  )
  keys = {"region": jax.random.key(2), "dropout": jax.random.key(3)}

  def run(platform):
    @jax.jit
    def outcome(params):
      def loss(params):
        (logits, maps), stats = model.apply(
          variables | {"params": params}, images, train=True,
          mutable=["batch_stats"], rngs=keys,
        )  # fmt: skip
        regions = jnp.square(maps["proposal_scores"]).sum()
        found = logits.full, maps["crops"], stats["batch_stats"]
        found[-1].pop("crop_classifier")
        return regions + jnp.square(maps["crops"]).sum(), found

      # Two devices, so that nothing is sealed for a CPU.
      with for_platform(platform, devices=2):
        return jax.value_and_grad(loss, has_aux=True)(params)

    return outcome(variables["params"])

  want, got = run("cpu"), run("tpu")
  assert jax.tree.structure(got) == jax.tree.structure(want)
  # Of gradients up to some ten; those before a norm vanish.
  for a, b in zip(jax.tree.leaves(want), jax.tree.leaves(got)):
    np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("train", [True, False])
def test_heads_in_kernels_are_those_of_a_loop(train, monkeypatch):
  module = ClassificationModule(
    num_classes=2, block_sizes=(1,), growth=4, bn_size=2, stem=4,
    fpn_features=128, hidden=16,
  )  # fmt: skip
  rng = np.random.default_rng(0)
  images = rng.normal(size=(2, 32, 32, 3)).astype("float32")
  shapes = jax.eval_shape(
    lambda: module.init(jax.random.key(1), images, train=False)
  )
  variables = jax.tree.map(
    lambda leaf: rng.uniform(0.2, 1, leaf.shape).astype(leaf.dtype), shapes
  )
  called = []

  def in_steps(*given):
    called.append(True)
    return norm_product(*given, True)

  # In float32, in which all is the same but for the order of sums.
  monkeypatch.setattr(_norm_product, "norm_product", in_steps)
  monkeypatch.setattr(_norm_product, "fits", lambda *given: True)

  def run(platform):
    @jax.jit
    def outcome(params):
      def loss(params):
        (logits, maps), stats = module.apply(
          variables | {"params": params}, images, train=train,
          mutable=["batch_stats"],
        )  # fmt: skip
        return jnp.square(logits).sum(), (maps, stats)

      with for_platform(platform):
        return jax.value_and_grad(loss, has_aux=True)(params)

    return outcome(variables["params"])

  want = run(None)
  without = dataclasses.replace(module, kernels=False)
  with for_platform("cuda"):
    jax.eval_shape(lambda: without.apply(variables, images, train=False))
  assert not called
  got = run("cuda")
  assert called
  assert jax.tree.structure(got) == jax.tree.structure(want)
  for a, b in zip(jax.tree.leaves(want), jax.tree.leaves(got)):
    np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_one_channel_is_that_of_a_convolution(platform, monkeypatch):
  def choose(*args, default, tpu):
    return (tpu if platform == "tpu" else default)(*args)

  x = jax.random.normal(jax.random.key(0), (2, 3, 5, 16))
  conv = Conv(1, kernel=1)
  variables = conv.init(jax.random.key(1), x)
  want, back = jax.vjp(conv.apply, variables, x)
  monkeypatch.setattr(jax.lax, "platform_dependent", choose)
  with for_platform(platform):
    got, back_there = jax.vjp(conv.apply, variables, x)
    gradients = back_there(want)
  np.testing.assert_allclose(got, want, atol=1e-5)
  for a, b in zip(jax.tree.leaves(gradients), jax.tree.leaves(back(want))):
    np.testing.assert_allclose(a, b, atol=1e-4)
