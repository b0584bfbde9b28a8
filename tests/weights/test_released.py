"""The released names: one table, read both ways, against plain PyTorch."""

import collections
import json

import jax
import numpy as np
import pytest
import small_models
from flax import traverse_util

from chexjax import ops, weights
from chexjax.models import ChexModel, released_options
from chexjax.weights import merge, released


@pytest.fixture(scope="module")
def like():
  return small_models.shapes_of(small_models.tiny_model())


def load(state, like):
  return weights.load_released(state, like, **small_models.SIZES)


def assert_equal_trees(a, b):
  jax.tree.map(np.testing.assert_array_equal, a, b)


def test_table_names_each_entry_and_each_slice_once():
  table = weights.released_entries()
  assert len({e.name for e in table}) == len(table) == 1332
  arrays = [e for e in table if e.layout != "counter"]
  assert len({(e.path, e.slot) for e in arrays}) == len(arrays)
  model = ChexModel(**released_options())
  leaves = traverse_util.flatten_dict(small_models.shapes_of(model))
  slots = collections.defaultdict(set)
  for entry in arrays:
    slots[entry.path].add(entry.slot)
  assert slots.keys() == leaves.keys()
  for path, found in slots.items():
    assert found in ({None}, set(range(leaves[path].shape[0])))


@pytest.mark.shared
def test_names_order_shapes_and_types_are_the_released_ones(shared):
  keys = json.loads((shared / "parity" / "state_dict_keys.json").read_text())
  model = ChexModel(**released_options())
  zeros = jax.tree.map(
    lambda x: np.zeros(x.shape, x.dtype), small_models.shapes_of(model)
  )
  state = weights.save_released(zeros)
  assert list(state) == list(keys)
  for name, value in state.items():
    assert list(value.shape) == keys[name]["shape"], name
    assert f"torch.{value.dtype}" == keys[name]["dtype"], name


def test_round_trip_is_exact_both_ways(like):
  state = small_models.tiny_state()
  counted = {k: v for k, v in state.items() if k.endswith("tracked")}
  state |= {k: np.asarray(7 + i) for i, k in enumerate(counted)}
  merged = load(state, like)
  assert merged.loaded == merged.expected == len(state) - len(counted)
  table = released.released_entries(**small_models.SIZES)
  back = merge.unmerge(merged.variables, table, counters=merged.counters)
  assert list(back) == list(state)
  for name, value in state.items():
    np.testing.assert_array_equal(back[name], value)
  assert back[next(iter(counted))].dtype == np.int64
  assert_equal_trees(load(back, like).variables, merged.variables)


def test_classifier_is_the_backbone_under_its_own_names(like):
  state = small_models.tiny_state()
  alone = {
    name.removeprefix("backbone."): value
    for name, value in state.items()
    if name.startswith("backbone.")
  }
  merged = load(alone, like)
  whole = load(state, like)
  assert set(merged.variables["params"]) == {"classification"}
  for collection in ("params", "batch_stats"):
    assert_equal_trees(
      merged.variables[collection]["classification"],
      whole.variables[collection]["classification"],
    )


def test_every_fault_is_listed_and_nothing_is_returned(like):
  state = small_models.tiny_state()
  del state["head.head.regression.bias"]
  state["extra.weight"] = np.zeros((2, 3))
  state["classifier.heads.1.6.weight"] = np.zeros((2, 7), np.float32)
  state["backbone.1.pool.pools.0.beta"] = np.zeros(1, np.int64)
  state["classifier.heads.0.2.bias"] = np.full(7, np.nan, np.float32)
  with pytest.raises(weights.WeightsError) as caught:
    load(state, like)
  said = str(caught.value)
  for part in (
    "5 faults",
    "missing: head.head.regression.bias [4]",
    "unexpected: extra.weight [2, 3]",
    "classifier.heads.1.6.weight is [2, 7], must be [1, 7]",
    "backbone.1.pool.pools.0.beta is int64",
    "classifier.heads.0.2.bias holds NaN",
  ):
    assert part in said


@pytest.mark.parametrize(
  ("options", "said"),
  [
    ({"pooling": "lse"}, "the model has no params/classification/beta"),
    ({"hidden": 5}, "convs1.0.2.weight is [6, 8, 1, 1], must be [5, 8, 1, 1]"),
  ],
)
def test_a_model_of_another_kind_is_refused(options, said):
  sizes = small_models.TINY | released_options() | options
  model = ChexModel(**sizes)
  with pytest.raises(weights.WeightsError) as caught:
    load(small_models.tiny_state(), small_models.shapes_of(model))
  assert said in str(caught.value)


def test_fewer_classes_than_the_model_has_is_refused(like):
  state = {
    name: value
    for name, value in small_models.tiny_state().items()
    if ".2." not in name or not name.startswith("classifier.heads.2.")
  }
  with pytest.raises(
    weights.WeightsError, match=r"missing: classifier\.heads\.2"
  ):
    load(state, like)


@pytest.mark.parametrize(
  ("seed", "shape"), [(1, (3, 64, 64)), (2, (1, 96, 64))]
)
def test_model_computes_what_pytorch_computes(like, seed, shape):
  pytest.importorskip("torch", reason="the reference is written in PyTorch")
  import torch_reference

  state = small_models.tiny_state(seed)
  images = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
  expected = torch_reference.released(state, images, roi_size=2, crop_size=16)
  variables = load(state, like).variables
  logits, found = jax.jit(
    lambda x: small_models.tiny_model().apply(variables, ops.normalize(x))
  )(images[..., None])
  found |= {"full_logits": logits.full, "crop_plus_full": logits.crop}
  found["detection_map"] = jax.vmap(
    jax.vmap(
      lambda boxes, scores: ops.released_detection_map(
        boxes, scores, height=shape[1], width=shape[2]
      )
    )
  )(found["proposal_boxes"], found["proposal_scores"])
  # Float32 on both sides, values of order 1 (boxes: pixels): the sums differ
  # in their order alone. A box edge at .5 may round either way in the map.
  for name, value in expected.items():
    value, ours = value.numpy(), np.asarray(found[name])
    if name == "detection_map":
      close = np.abs(ours - value) <= 1e-3 * np.ptp(value)
      assert close.mean() > 0.999, name
    else:
      np.testing.assert_allclose(ours, value, atol=2e-4, rtol=1e-4)
