"""bfloat16 against float32, and gradients with recomputation."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_models import random_variables

from chexjax import models
from chexjax.training import setup
from chexjax.training.steps import stage_loss
from experiments.configs import CONFIGS

TINY = {
  "num_classes": 3, "block_sizes": (2, 1), "growth": 4, "bn_size": 2,
  "stem": 4, "fpn_features": 8, "hidden": 4, "detection_features": 4,
  "roi_size": 2, "crop_size": 8, "crop_stages": (1,), "crop_width": 4,
  "crop_hidden": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def case():
  """Images, and variables whose norms are not trivial."""
  images = jax.random.normal(jax.random.key(1), (3, 32, 32, 3))
  shapes = jax.eval_shape(
    models.ChexModel(**TINY).init, jax.random.key(0), images
  )
  rng = np.random.default_rng(0)

  def draw(path, leaf):
    if path[-1].key in ("scale", "var"):
      return rng.uniform(0.6, 1.4, leaf.shape).astype(leaf.dtype)
    fan_in = max(1, np.prod(leaf.shape[:-1]))
    return (rng.normal(size=leaf.shape) * fan_in**-0.5).astype(leaf.dtype)

  return images, jax.tree_util.tree_map_with_path(draw, shapes)


def make_loss(variables, images, *, stage, **options):
  """Builds `params -> loss, (logits, intermediates, new statistics)`."""
  model = models.ChexModel(**TINY, **options)

  def loss(params):
    (logits, found), updates = model.apply(
      variables | {"params": params},
      images,
      train=True,
      stage=stage,
      mutable=["batch_stats"],
      rngs={"region": jax.random.key(2), "dropout": jax.random.key(3)},
    )
    value, _ = stage_loss(
      logits, jnp.eye(3), jnp.ones(3), stage=stage, beta_pos=0.7, beta_neg=0.3
    )
    return value, (logits, found, updates["batch_stats"])

  return loss


def test_bfloat16_agrees_with_float32(case):
  images, variables = case

  def of(dtype):
    model = models.ChexModel(**TINY, dtype=dtype)
    return jax.jit(model.apply)(variables, images)

  (narrow, ours), (wide, theirs) = of(jnp.bfloat16), of(jnp.float32)
  # bfloat16 keeps 8 bits, 0.4 % a rounding; logits here are up to 1. Those of
  # the full image are averages over a map.
  np.testing.assert_allclose(narrow.full, wide.full, atol=0.01)
  np.testing.assert_allclose(
    ours["proposal_scores"], theirs["proposal_scores"], atol=0.03
  )
  # Two regions of nearly the same score may change places, and then the crop
  # is another one.
  same = ours["picked"] == theirs["picked"]
  assert same.mean() >= 0.5
  np.testing.assert_allclose(narrow.crop[same], wide.crop[same], atol=0.04)


def test_bfloat16_keeps_parameters_boxes_and_loss_in_float32(case):
  images, variables = case
  loss = make_loss(variables, images, stage=3, dtype=jnp.bfloat16)
  (value, (logits, found, stats)), grads = jax.eval_shape(
    jax.value_and_grad(loss, has_aux=True), variables["params"]
  )
  kept = jax.tree.leaves((value, logits, stats, grads))
  assert {leaf.dtype for leaf in kept} == {jnp.dtype("float32")}
  for name in ("saliency_logits", "proposal_scores", "picked_boxes"):
    assert found[name].dtype == jnp.float32, name
  assert found["hidden"].dtype == jnp.bfloat16


@pytest.mark.slow
def test_remat_has_the_same_gradients():
  with jax.enable_x64(True):
    images = jax.random.normal(jax.random.key(1), (3, 32, 32, 3), jnp.float64)

    def net(remat):
      return models.DenseNet(
        (2, 1), growth=4, bn_size=2, stem=4, remat=remat, dtype=jnp.float64
      )

    variables = random_variables(
      jax.eval_shape(
        lambda key: net(False).init(key, images, train=True), jax.random.key(0)
      )
    )

    def of(remat):
      def loss(params):
        taps, updates = net(remat).apply(
          variables | {"params": params},
          images,
          train=True,
          mutable=["batch_stats"],
        )
        return sum((tap**2).mean() for tap in taps), updates

      return jax.jit(jax.value_and_grad(loss, has_aux=True))(
        jax.tree.map(jnp.float64, variables["params"])
      )

    plain, again = of(False), of(True)
  assert jax.tree.structure(plain) == jax.tree.structure(again)
  for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(again)):
    # The same arithmetic, perhaps fused in another order.
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


def test_remat_keeps_less(case):
  images, variables = case

  def kept(remat):
    loss = make_loss(variables, images, stage=1, remat=remat)
    residuals = jax.eval_shape(
      lambda p: jax.vjp(loss, p, has_aux=True)[1], variables["params"]
    )
    return sum(leaf.size for leaf in jax.tree.leaves(residuals))

  # Numbers of the two maps that each of three layers else keeps, of 8 and 4
  # channels for 3 images of 8 x 8 or 4 x 4.
  maps = (8 + 4) * 3 * (2 * 8 * 8 + 4 * 4)
  with models.for_platform("cpu"):
    assert kept(False) - kept(True) >= maps
  # On other devices a layer keeps its activations too.
  assert kept(True) < 0.8 * kept(False)


def test_the_command_line_reaches_the_model():
  config = CONFIGS["phantom"]
  narrow = dataclasses.replace(config, precision="bfloat16", remat=True)
  model = setup.make_model(narrow, 3)
  assert model.dtype == jnp.bfloat16
  assert model.remat
  rough = setup.make_model(dataclasses.replace(config, precision="tf32"), 3)
  assert rough.dtype == jnp.float32
  assert rough.tf32
  assert setup.make_model(config, 3) == models.ChexModel(
    num_classes=3, region_gradient=False, **dataclasses.asdict(config.model)
  )
