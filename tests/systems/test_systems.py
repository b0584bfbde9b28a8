"""Every system: sizes, maps, gradients, and what each is by definition."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax import ops
from chexjax.systems import (
  SYSTEMS,
  Backbone,
  OneStageModel,
  System,
  Truth,
  build_model,
)
from chexjax.training.system_loss import system_loss

SMALL = {
  "block_sizes": (1, 1), "growth": 4, "bn_size": 2, "stem": 4,
  "fpn_features": 4, "hidden": 4,
}  # fmt: skip
# Those whose module no other system has.
DIFFERENT = [name for name in SYSTEMS if not name.startswith("yao2018_like_r")]


@functools.cache
def small(name, size=64, seed=0):
  """Return a small model, its variables and two random films."""
  model = build_model(name, 3, **SMALL)
  images = jax.random.normal(jax.random.key(seed), (2, size, size, 3))
  return model, jax.jit(model.init)(jax.random.key(1), images[:1]), images


def as_head(variables, name):
  return variables["params"]["classification"][name]


# Counted by hand in docs/baselines.md for 14 findings, without the backbone's
# 6,953,856 parameters.
@pytest.mark.parametrize(
  ("name", "head"),
  [
    ("cam", 14_350),
    ("wang2017", 1_063_950),
    ("li2018_like", 4_726_798),
    ("cral_like", 2_907_164),
    ("pcam", 14_350),
    ("acol", 28_700),
    ("pylon", 1_793_423),
    ("fpn_lse_lba", 1_193_230),
    ("ma2019_like", 6_953_856 + 2_131_984),
    ("yao2018_like", 6_454_428 - 6_953_856),
    ("wsrpn", 1_659_411),
  ],
)
def test_parameters_at_full_size(name, head):
  model = build_model(name, 14)
  image = jnp.zeros((1, 512, 512, 3))
  shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), image))
  count = sum(np.prod(x.shape) for x in jax.tree.leaves(shapes["params"]))
  assert count == 6_953_856 + head


@pytest.mark.parametrize("name", DIFFERENT)
def test_maps_and_gradients_are_finite_on_black_and_white_films(name):
  model, variables, _ = small(name)
  images = ops.normalize(
    jnp.stack([jnp.zeros((64, 64, 1)), jnp.full((64, 64, 1), 255.0)])
  )
  labels = jnp.array([[1.0, 0, 0], [0, 0, 1.0]])
  truth = Truth(labels, jnp.ones((2, 3)), jnp.full(3, 0.9), jnp.full(3, 0.1))

  @jax.jit
  def both(params):
    given = {**variables, "params": params}
    _, tested = model.apply(given, images)

    def loss(params):
      (logits, found), _ = model.apply(
        {**variables, "params": params},
        images,
        train=True,
        mutable=["batch_stats"],
        rngs={"dropout": jax.random.key(2)},
      )
      return SYSTEMS[name].loss(logits.full, found, truth).mean()

    return tested, jax.grad(loss)(params)

  tested, gradients = both(variables["params"])
  assert set(SYSTEMS[name].maps) <= set(tested)
  for of in SYSTEMS[name].maps:
    assert tested[of].shape[:2] == (2, 3)
    assert np.isfinite(tested[of]).all()
    if SYSTEMS[name].maps[of] == "none":
      assert 0 <= tested[of].min() <= tested[of].max() <= 1
  leaves = jax.tree.leaves(gradients)
  assert all(np.isfinite(leaf).all() for leaf in leaves)
  assert any(np.abs(leaf).max() > 0 for leaf in leaves)


def test_cam_is_exactly_what_its_logit_is_the_mean_of():
  model, variables, images = small("cam")
  logits, found = jax.jit(model.apply)(variables, images)
  bias = as_head(variables, "classifier")["bias"]
  mean = found["cam"].mean((2, 3)) + bias
  np.testing.assert_allclose(logits.full, mean, rtol=1e-5, atol=1e-6)
  cells = np.prod(found["cam"].shape[2:])
  np.testing.assert_allclose(
    found["grad_cam"], np.maximum(found["cam"], 0) / cells, atol=1e-6
  )


def test_grad_cam_plus_plus_of_a_linear_head():
  """All cells of a channel have one gradient, so that the sums are known."""
  rng = np.random.default_rng(0)
  features = rng.uniform(0, 2, (3, 4, 5)).astype(np.float32)
  kernel = rng.normal(size=(5, 2)).astype(np.float32)
  drawn = ops.grad_cam_plus_plus(
    lambda x: x.mean((0, 1)) @ kernel, jnp.asarray(features)
  )
  slope = kernel / 12
  total = features.sum((0, 1))[:, None]
  weights = 12 * np.maximum(slope, 0) / (2 + total * slope)
  want = np.maximum(np.einsum("hwc,ck->khw", features, weights), 0)
  np.testing.assert_allclose(drawn, want, rtol=1e-5)


def test_attention_of_nothing_is_cam():
  model, variables, images = small("cral_like")
  closed = jax.tree.map(jnp.copy, variables)
  last = closed["params"]["classification"]["attention3"]
  last["kernel"] *= 0
  last["bias"] -= 1e4
  logits, found = model.apply(closed, images)
  cam, head, _ = small("cam")
  parts = ("densenet", "classifier")
  head = {
    group: {"classification": {p: of["classification"][p] for p in parts
                               if p in of["classification"]}}
    for group, of in closed.items()
  }  # fmt: skip
  same, maps = cam.apply(head, images)
  np.testing.assert_array_equal(logits.full, same.full)
  np.testing.assert_array_equal(found["weighted_cam"], maps["cam"])


def test_attention_adds_to_the_pooled_features():
  """The published form: w . (mean of f + mean of a f)."""
  model, variables, images = small("cral_like")
  logits, found = jax.jit(model.apply)(variables, images)
  cam, _, _ = small("cam")
  head = {
    group: {"classification": {p: x for p, x in of["classification"].items()
                               if p in ("densenet", "classifier")}}
    for group, of in variables.items()
  }  # fmt: skip
  plain, maps = jax.jit(cam.apply)(head, images)
  more = (found["attention"] * maps["cam"]).mean((2, 3))
  np.testing.assert_allclose(logits.full, plain.full + more, rtol=1e-5)


def test_one_convolution_is_pcams_map_and_classifier():
  model, variables, images = small("pcam")
  logits, found = jax.jit(model.apply)(variables, images)
  head = as_head(variables, "classifier")
  cam, _, _ = small("cam")
  cells = jax.jit(cam.apply)(variables, images)[1]["cam"]
  np.testing.assert_allclose(
    found["pcam"],
    jax.nn.sigmoid(cells + head["bias"][:, None, None]),
    rtol=1e-5,
  )
  # The published form: features pooled with normalised probabilities.
  weights = found["pcam"] / found["pcam"].sum((2, 3), keepdims=True)
  want = (weights * cells).sum((2, 3)) + head["bias"]
  np.testing.assert_allclose(logits.full, want, rtol=1e-4, atol=1e-6)


def test_the_second_head_sees_what_the_first_leaves_over():
  model, variables, images = small("acol")
  heads = jax.tree.map(jnp.copy, variables)
  for name in ("first", "second"):
    of = heads["params"]["classification"][name]
    of["kernel"] *= 30  # So that some cells are above the cut.
    of["bias"] += 0.3
  logits, found = jax.jit(model.apply)(heads, images)
  cam, _, _ = small("cam")

  def cells(name):
    given = jax.tree.map(lambda x: x, heads)
    group = given["params"]["classification"]
    group["classifier"] = group.pop(name)
    group.pop("second" if name == "first" else "first")
    return jax.jit(cam.apply)(given, images)[1]["cam"]

  first, second = cells("first") + 0.3, cells("second")
  left = np.where(first > 0.6, 0, second) + 0.3
  assert 0 < (first > 0.6).mean() < 1
  np.testing.assert_allclose(logits.full, first.mean((2, 3)), rtol=1e-5)
  np.testing.assert_allclose(
    found["second_logits"], left.mean((2, 3)), rtol=1e-5
  )
  np.testing.assert_allclose(
    found["acol"], np.maximum(first, left), rtol=1e-5, atol=1e-6
  )


def test_each_network_is_attended_by_the_others_map():
  """Closing the second's attention silences the first's features."""
  model, variables, images = small("ma2019_like")
  closed = jax.tree.map(jnp.copy, variables)
  closed["params"]["classification"]["attention2"]["bias"] -= 1e4
  kernel = closed["params"]["classification"]["classifier"]["kernel"]
  half = len(kernel) // 2
  logits, _ = model.apply(closed, images)
  without = kernel.at[:half].set(0)
  closed["params"]["classification"]["classifier"]["kernel"] = without
  again, _ = model.apply(closed, images)
  np.testing.assert_allclose(logits.full, again.full, atol=1e-6)
  other = kernel.at[half:].set(0)
  closed["params"]["classification"]["classifier"]["kernel"] = other
  assert np.abs(model.apply(closed, images)[0].full).max() < 1e-6


def test_pooling_before_the_classifier_is_not_the_map_pooled():
  model, variables, images = small("wang2017")
  logits, found = jax.jit(model.apply)(variables, images)
  mean = (
    found["transition"].mean((2, 3)) + as_head(variables, "classifier")["bias"]
  )
  assert np.abs(np.asarray(logits.full - mean)).max() > 1e-3


def test_an_unknown_system_and_stage_are_named():
  with pytest.raises(ValueError, match="no system 'cma'"):
    build_model("cma", 3)
  model, variables, images = small("cam")
  with pytest.raises(ValueError, match="cam has stage 1 alone, got 3"):
    model.apply(variables, images, stage=3)


class Promises(Backbone):
  """Returns logits and one map as told, and looks at nothing."""

  logits: tuple[int, ...] = (2, 3)
  map: tuple[int, ...] = (2, 3, 4, 4)

  def __call__(self, images, *, train):
    return jnp.zeros(self.logits), {"kept": jnp.zeros(self.map)}


@pytest.mark.parametrize(
  ("maps", "options", "message"),
  [
    ({"kept": "none"}, {}, None),
    ({"ketp": "none"}, {}, "a map 'ketp' that its .* it returns kept"),
    ({"kept": "none"}, {"logits": (2, 3, 1)}, "logits must be"),
    ({"kept": "none"}, {"map": (2, 4, 4, 3)}, "kept must be"),
  ],
)
def test_what_an_entry_promises_is_held_before_a_training(
  monkeypatch, maps, options, message
):
  system = System("mine", Promises, maps, options=options)
  monkeypatch.setitem(SYSTEMS, "mine", system)
  model = OneStageModel(system="mine", num_classes=3)
  given = model.init, jax.random.key(0), jnp.zeros((2, 32, 32, 3))
  if message is None:
    jax.eval_shape(*given)
    return
  with pytest.raises(ValueError, match=message):
    jax.eval_shape(*given)


def test_an_entry_has_a_map_and_a_scale():
  with pytest.raises(ValueError, match="'mine' names no map"):
    System("mine", Promises, {})
  with pytest.raises(ValueError, match="one of none, minmax, got 'min-max'"):
    System("mine", Promises, {"kept": "min-max"})


def test_a_loss_of_another_shape_is_refused():
  """It would be broadcast over films or findings without a word."""
  system = System("mine", Promises, {"kept": "none"}, loss=lambda x, *_: x[0])
  labels, ones = jnp.zeros((3, 3)), jnp.ones(3)
  with pytest.raises(ValueError, match="the system's losses must have"):
    system_loss(system, labels, {}, labels, ones, beta_pos=ones, beta_neg=ones)
