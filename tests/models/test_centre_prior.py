"""A prior of the film's middle moves the maps, and what is pooled of them."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import models, ops
from chexjax.models.classification import SaliencyHead

SIZE = 64


@functools.cache
def classify(centre_prior):
  """Logits `[B, K]` and maps of the same module with and without a prior."""
  module = models.ClassificationModule(
    num_classes=2, block_sizes=(1, 1), growth=4, bn_size=1, stem=4,
    fpn_features=4, hidden=4,
  )  # fmt: skip
  images = jax.random.normal(jax.random.key(1), (2, SIZE, SIZE, 3))
  variables = module.init(jax.random.key(0), images, train=False)
  module = dataclasses.replace(module, centre_prior=centre_prior)
  logits, maps = module.apply(variables, images, train=False)
  return logits, maps["saliency_logits"]


def test_maps_differ_by_the_prior_and_logits_are_pooled_of_them():
  _, plain = classify(0.0)
  logits, maps = classify(0.25)
  place = ops.log_centre_prior(SIZE // 4, SIZE // 4, deviation=0.25)
  np.testing.assert_allclose(maps - plain, jnp.broadcast_to(place, maps.shape),
    atol=1e-5,
  )  # fmt: skip
  pooled = jax.vmap(jax.vmap(ops.lse_pool))(maps)
  np.testing.assert_allclose(logits, pooled, rtol=1e-6)


@pytest.mark.parametrize("centre_prior", [0.0, 0.25])
def test_grad_cam_is_of_the_logit_that_the_model_gives(centre_prior):
  model = models.ChexModel(
    num_classes=2, block_sizes=(1, 1), growth=4, bn_size=1, stem=4,
    fpn_features=4, hidden=4, centre_prior=centre_prior,
  )  # fmt: skip
  images = jax.random.normal(jax.random.key(1), (1, SIZE, SIZE, 3))
  variables = model.init(jax.random.key(0), images, stage=1)
  (full, _), maps = model.apply(variables, images, stage=1)
  found = models.saliency_cams(model, variables, maps["hidden"])["grad_cam"]
  head = SaliencyHead(hidden=4, centre_prior=centre_prior, dtype=jnp.float32)
  for k in range(2):
    own = {
      group: jax.tree.map(lambda x, k=k: x[k], of["classification"]["saliency"])
      for group, of in variables.items()
    }

    def logit(hidden, own=own):
      given = None, maps["fpn"], None, False, None, (hidden[None], None)
      return ops.lse_pool(head.apply(own, *given)[1][1][0])[None]

    hidden = maps["hidden"][0, k]
    np.testing.assert_allclose(logit(hidden)[0], full[0, k], rtol=1e-5)
    wanted = ops.grad_cam(logit, hidden)[0]
    np.testing.assert_allclose(found[0, k], wanted, rtol=1e-5, atol=1e-7)


def test_a_wide_prior_is_none():
  np.testing.assert_allclose(classify(1e4)[0], classify(0.0)[0], atol=1e-5)


def test_a_negative_one_is_refused():
  with pytest.raises(ValueError, match="deviation must be positive"):
    classify(-0.25)
