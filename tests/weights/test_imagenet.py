"""ImageNet backbones: every spelling of the names, and PyTorch's numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import small_models
from flax import traverse_util

from chexjax import weights
from chexjax.models import DenseNet, ResNet
from chexjax.weights import backbones, imagenet, merge

BLOCKS = small_models.SIZES["block_sizes"]
STAGES = small_models.SIZES["crop_stages"]


@pytest.fixture(scope="module")
def like():
  return small_models.shapes_of(small_models.tiny_model())


def densenet_state(like, *, dotted=False, seed=0):
  table = backbones.densenet_entries(
    "features.", imagenet.DENSENET_PATH, BLOCKS, dotted=dotted
  )
  state = merge.unmerge(small_models.random_variables(like, seed), table)
  return state | {
    "classifier.weight": np.zeros((1000, 8), np.float32),
    "classifier.bias": np.zeros(1000, np.float32),
  }


def resnet_state(like, seed=0):
  stages = [f"layer{i + 1}" for i in range(len(STAGES))]
  table = backbones.resnet_entries(
    ("conv1", "bn1"), stages, imagenet.RESNET_PATH, STAGES
  )
  state = merge.unmerge(small_models.random_variables(like, seed), table)
  return state | {
    "fc.weight": np.zeros((1000, 8), np.float32),
    "fc.bias": np.zeros(1000, np.float32),
  }


def leaves(merged):
  return traverse_util.flatten_dict(merged.variables)


def test_names_are_torchvisions():
  names = [
    e.name
    for e in backbones.densenet_entries(
      "features.", imagenet.DENSENET_PATH, (6, 12, 24, 16)
    )
  ]
  # torchvision's densenet121 has 727 entries, 2 of them the classifier's; its
  # resnet34 has 218, 2 of them the classifier's.
  assert len(names) == 725
  assert names[0] == "features.conv0.weight"
  assert "features.denseblock4.denselayer16.conv2.weight" in names
  assert names[-1] == "features.norm5.num_batches_tracked"
  table = backbones.resnet_entries(
    ("conv1", "bn1"), [f"layer{i}" for i in (1, 2, 3, 4)],
    imagenet.RESNET_PATH, (3, 4, 6, 3),
  )  # fmt: skip
  assert len(table) == 216
  assert {"layer4.2.bn2.bias", "layer2.0.downsample.1.weight"} <= {
    e.name for e in table
  }


@pytest.mark.parametrize("counters", [True, False])
@pytest.mark.parametrize("dotted", [True, False])
def test_both_spellings_with_and_without_counters(like, dotted, counters):
  state = densenet_state(like, dotted=dotted)
  if not counters:  # as torchvision's file of 2017
    state = {k: v for k, v in state.items() if not k.endswith("tracked")}
  spelled = [k for k in state if "denselayer1.norm.1." in k]
  assert bool(spelled) == dotted
  merged = weights.load_densenet(state, like, BLOCKS)
  assert merged.dropped == ("classifier.weight", "classifier.bias")
  assert bool(merged.counters) == counters
  for path, value in leaves(merged).items():
    assert path[1:3] == imagenet.DENSENET_PATH
    assert value.dtype == np.float32
  same = weights.load_densenet(densenet_state(like), like, BLOCKS)
  jax.tree.map(np.testing.assert_array_equal, merged.variables, same.variables)


def test_only_the_classifier_is_left_out(like):
  state = resnet_state(like) | {"head.weight": np.zeros(3, np.float32)}
  with pytest.raises(weights.WeightsError, match=r"unexpected: head\.weight"):
    weights.load_resnet(state, like, STAGES)


def test_the_other_backbone_is_refused(like):
  with pytest.raises(weights.WeightsError) as caught:
    weights.load_resnet(densenet_state(like), like, STAGES)
  assert "missing: conv1.weight [4, 3, 7, 7]" in str(caught.value)
  assert "0 of" in str(caught.value)


class Pair:
  """One backbone, ours and PyTorch's, with the same random weights."""

  def __init__(self, like, name, train):
    import torch_reference as reference

    self.train, self.like = train, like
    if name == "resnet":
      self.state = resnet_state(like, seed=6)
      self.read, self.sizes = weights.load_resnet, STAGES
      self.path = imagenet.RESNET_PATH
      self.module = lambda dtype: ResNet(STAGES, 4, dtype=dtype)
      self.theirs = lambda state, x: [
        reference.resnet(
          state,
          ("conv1", "bn1"),
          ["layer1", "layer2"],
          x,
          reference.leaky,
          train,
        )
      ]
    else:
      self.state = densenet_state(like, seed=6)
      self.read, self.sizes = weights.load_densenet, BLOCKS
      self.path = imagenet.DENSENET_PATH
      self.module = lambda dtype: DenseNet(BLOCKS, 4, 2, 4, dtype=dtype)
      self.theirs = lambda state, x: reference.densenet(
        state, "features.", x, train=train
      )

  def variables(self, state):
    """Reads a state dict, down to the backbone's own variables."""
    merged = self.read(state, self.like, self.sizes).variables
    one, two = self.path
    return {k: v[one][two] for k, v in merged.items()}

  def ours(self, variables, x, dtype):
    out = self.module(dtype).apply(
      variables,
      x,
      train=self.train,
      mutable=["batch_stats"] if self.train else False,
    )
    out = out[0] if self.train else out
    return out if isinstance(out, tuple) else (out,)

  def tensors(self, torch, dtype):
    return {
      k: torch.from_numpy(np.array(v)).to(dtype).requires_grad_(True)
      for k, v in self.state.items()
      if np.asarray(v).dtype.kind == "f"
    }


@pytest.fixture(params=["densenet", "resnet"])
def name(request):
  return request.param


def test_forward_is_pytorchs(like, name):
  torch = pytest.importorskip("torch", reason="the reference is in PyTorch")
  pair = Pair(like, name, train=False)
  image = np.random.default_rng(5).normal(size=(2, 64, 96, 3))
  x = torch.from_numpy(image).permute(0, 3, 1, 2).float()
  expected = pair.theirs(pair.tensors(torch, torch.float32), x)
  variables = pair.variables(pair.state)
  forward = jax.jit(lambda x: pair.ours(variables, x, jnp.float32))
  found = forward(jnp.asarray(image, jnp.float32))
  for ours, theirs in zip(found, expected, strict=True):
    # Float32 sums in another order, values of order 1 to 10.
    np.testing.assert_allclose(
      ours, theirs.detach().permute(0, 2, 3, 1), atol=2e-4, rtol=1e-4
    )


@pytest.mark.parametrize("train", [False, True])
def test_gradients_are_pytorchs(like, name, train):
  """Of weights and image, in float64; `train` through batch statistics."""
  torch = pytest.importorskip("torch", reason="the reference is in PyTorch")
  pair = Pair(like, name, train)
  rng = np.random.default_rng(5)
  image = rng.normal(size=(2, 64, 64, 3))
  there = pair.tensors(torch, torch.float64)
  x = torch.from_numpy(image).permute(0, 3, 1, 2).requires_grad_(True)
  taps = pair.theirs(there, x)
  pull = [rng.normal(size=tuple(t.shape)) for t in taps]
  sum((t * torch.from_numpy(p)).sum() for t, p in zip(taps, pull)).backward()

  with jax.enable_x64(True):
    double = jax.tree.map(
      lambda v: jnp.asarray(v, jnp.float64), pair.variables(pair.state)
    )

    def loss(params, x):
      found = pair.ours(double | {"params": params}, x, jnp.float64)
      return sum(
        (tap * p.transpose(0, 2, 3, 1)).sum() for tap, p in zip(found, pull)
      )

    grad = jax.jit(jax.grad(loss, (0, 1)))
    grads, grad_x = jax.device_get(grad(double["params"], jnp.asarray(image)))
  # Both are float64: 1e-16 of the largest terms is lost.
  np.testing.assert_allclose(
    grad_x, x.grad.permute(0, 2, 3, 1), rtol=1e-7, atol=1e-9
  )
  theirs = pair.state | {
    k: v.grad.numpy() for k, v in there.items() if v.grad is not None
  }
  # The table's reader rounds to float32.
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6),
    grads,
    pair.variables(theirs)["params"],
  )
