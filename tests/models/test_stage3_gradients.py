"""The whole stage-3 loss in float64, against finite differences.

The sampler's value jumps and its gradient is that of a softmax, so the loss
itself has no finite differences to compare with. It is compared with a
surrogate that has: the region weights are `hard + soft(theta) - soft(theta0)`
with both constants as plain numbers, equal to the sampler in value and, if
straight-through is right, in gradient. Noise and dropout masks are fixed.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from chexjax import ops
from chexjax.models import ChexModel, for_platform, released_options
from chexjax.training.steps import stage_loss

# Two scales are enough for the pyramid to have a sum in it.
TINY = {
  "num_classes": 2, "block_sizes": (1, 1), "growth": 4, "bn_size": 2,
  "stem": 4, "fpn_features": 6, "hidden": 4, "detection_features": 4,
  "roi_size": 2, "crop_size": 8, "crop_stages": (1,), "crop_width": 4,
  "crop_hidden": 4,
}  # fmt: skip
TAU = 0.7
STEP = 1e-6


@pytest.fixture(autouse=True)
def double():
  # As a run on a CPU is traced. Without it, XLA at the tests' optimization
  # level 0 makes NaN of ReLU's gradient in the crop's ResNet; at the level of
  # a run it does not.
  with jax.enable_x64(True), for_platform("cpu"):
    yield


class Case:
  """A model with random float64 variables, and its loss."""

  def __init__(self, **options):
    self.model = ChexModel(**TINY, **options, dtype=jnp.float64)
    rng = np.random.default_rng(0)
    self.images = jnp.asarray(rng.normal(size=(4, 32, 32, 3)))
    shapes = jax.eval_shape(
      lambda: self.model.init(jax.random.key(0), self.images)
    )

    def draw(path, leaf):
      if path[-1].key in ("scale", "var"):
        return rng.uniform(0.6, 1.4, leaf.shape)
      return rng.normal(0, 0.3, leaf.shape)

    variables = jax.tree_util.tree_map_with_path(draw, shapes)
    self.params = jax.tree.map(jnp.asarray, variables["params"])
    self.stats = jax.tree.map(jnp.asarray, variables["batch_stats"])

  def loss(self, params, stage=3, part="loss"):
    (logits, _), _ = self.model.apply(
      {"params": params, "batch_stats": self.stats},
      self.images,
      train=True,
      stage=stage,
      tau=TAU,
      mutable=["batch_stats"],
      rngs={"region": jax.random.key(1), "dropout": jax.random.key(2)},
    )
    return stage_loss(
      logits,
      jnp.eye(4, 2, dtype=jnp.float64),
      jnp.ones(4),
      stage=stage,
      beta_pos=jnp.array([0.7, 0.8]),
      beta_neg=jnp.array([0.3, 0.2]),
    )[1][part]

  def gradient(self, path=(), **options):
    """Of the leaves under a path, by their place under it."""

    def loss(part):
      return self.loss(put(self.params, path, part), **options)

    part = self.params
    for name in path:
      part = part[name]
    grads = jax.jit(jax.grad(loss))(part)
    return traverse_util.flatten_dict(jax.device_get(grads))


def put(tree, path, part):
  """Returns `tree` with `part` at `path`."""
  if not path:
    return part
  return tree | {path[0]: put(tree[path[0]], path[1:], part)}


def soft_of(key, scores, tau):
  """The tempered softmax of the noisy scores, written out."""
  noisy = scores + jax.random.gumbel(key, scores.shape, scores.dtype)
  powers = jnp.exp(noisy / tau)
  return powers / powers.sum(-1, keepdims=True)


def freeze(case, monkeypatch, *, gate):
  """Replaces the sampler, and without `gate` what gates, by surrogates.

  Returns:
    The loss before, and its gradient.
  """
  seen = {}
  propose, sample = ChexModel._propose, ops.sample_regions

  def look(key, scores, *, tau, noise_scale):
    assert noise_scale == 1
    soft = soft_of(key, scores, tau)
    seen["soft"] = soft
    seen["hard"] = jax.nn.one_hot(
      jnp.argmax(soft, -1), soft.shape[-1], dtype=soft.dtype
    )
    return sample(key, scores, tau=tau, noise_scale=noise_scale)

  def look_at_gate(model, maps, *rest):
    seen["saliency_logits"] = maps["saliency_logits"]
    return propose(model, maps, *rest)

  def with_fixed_gate(model, maps, *rest):
    fixed = {"saliency_logits": jnp.asarray(at["saliency_logits"])}
    return propose(model, maps | fixed, *rest)

  monkeypatch.setattr(ops, "sample_regions", look)
  monkeypatch.setattr(ChexModel, "_propose", look_at_gate)

  def observe(params):
    value = case.loss(params)
    return value, dict(seen)

  (value, at), grads = jax.device_get(
    jax.jit(jax.value_and_grad(observe, has_aux=True))(case.params)
  )
  monkeypatch.setattr(
    ops,
    "sample_regions",
    lambda key, scores, *, tau, noise_scale: (
      at["hard"] + soft_of(key, scores, tau) - at["soft"]
    ),
  )
  monkeypatch.setattr(
    ChexModel, "_propose", propose if gate else with_fixed_gate
  )
  return value, traverse_util.flatten_dict(grads)


BOTH = pytest.mark.parametrize(
  "released", [False, pytest.param(True, marks=pytest.mark.slow)]
)


@BOTH
def test_every_leaf_has_the_gradient_of_finite_differences(
  released, monkeypatch
):
  case = Case(**(released_options() if released else {}))
  value, found = freeze(case, monkeypatch, gate=not released)
  loss = jax.jit(lambda p: case.loss(p))
  assert float(loss(case.params)) == pytest.approx(value, rel=1e-12)
  flat = traverse_util.flatten_dict(case.params)
  rng = np.random.default_rng(3)
  for path, leaf in flat.items():
    direction = rng.normal(size=leaf.shape)

    def moved(step, path=path, leaf=leaf, direction=direction):
      new = flat | {path: leaf + step * direction}
      return float(loss(traverse_util.unflatten_dict(new)))

    slope = (moved(STEP) - moved(-STEP)) / (2 * STEP)
    # Central differences of a loss near 1: 1e-16 / 1e-6 is lost in rounding,
    # and a few more digits to sums of thousands of terms.
    assert (found[path] * direction).sum() == pytest.approx(
      slope, rel=1e-5, abs=1e-8
    ), path
  for path in (
    ("detection", "score", "kernel"),
    ("detection", "delta", "kernel"),
    ("detection", "delta", "bias"),
    ("detection", "conv", "kernel"),
    ("classification", "saliency", "conv1", "kernel"),
    ("classification", "densenet", "conv0", "kernel"),
    ("crop_classifier", "resnet", "conv0", "kernel"),
  ):
    assert np.abs(found[path]).max() > 1e-6, path


@pytest.mark.slow
def test_only_a_trained_gate_carries_loss_rpn_to_the_saliency_logits():
  """What makes x_S of h_k reaches the crops through the gate alone."""
  options = released_options() | {"add_full_logit": False}
  after = [("norm2", "scale"), ("norm2", "bias"), ("conv2", "kernel")]
  for trained in (True, False):
    case = Case(**options | {"gate_gradient": trained})
    found = case.gradient(("classification", "saliency"), part="loss_rpn")
    for path in after:
      assert bool(np.abs(found[path]).max() > 1e-6) == trained, path
    assert np.abs(found["conv1", "kernel"]).max() > 1e-6


@BOTH
def test_frozen_parts_get_none(released):
  case = Case(**(released_options() if released else {}))
  for path, value in case.gradient(stage=2).items():
    assert np.isfinite(value).all(), path
    if path[0] == "classification":
      assert not value.any(), path
    elif path[-1] == "kernel":
      assert value.any(), path


def test_scores_get_the_jacobian_of_the_softmax():
  """Against `sum_j dL/dw_j dp_j/ds_i`, in plain numpy."""
  rng = np.random.default_rng(4)
  scores, pull = rng.normal(size=(2, 7)), rng.normal(size=(2, 7))
  key = jax.random.key(5)
  found = jax.grad(
    lambda s: (ops.sample_regions(key, s, tau=TAU) * pull).sum()
  )(jnp.asarray(scores))
  noise = np.asarray(jax.random.gumbel(key, (2, 7), jnp.float64))
  p = np.exp((scores + noise) / TAU)
  p /= p.sum(-1, keepdims=True)
  for row in range(2):
    jacobian = (np.diag(p[row]) - np.outer(p[row], p[row])) / TAU
    np.testing.assert_allclose(found[row], jacobian @ pull[row], rtol=1e-12)
