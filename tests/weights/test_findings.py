"""Heads follow the findings' names, everything else is the model's."""

import jax
import numpy as np
import pytest
from flax import traverse_util
from small_models import TINY, random_variables

from chexjax.models import ChexModel
from chexjax.weights import WeightsError
from chexjax.weights.findings import finding_axes, transfer
from chexjax.weights.shapes import shapes_of

SIZES = {k: v for k, v in TINY.items() if k != "num_classes"}


def model_of(names, **options):
  return ChexModel(num_classes=len(names), **SIZES, **options)


def variables_of(names, seed, **options):
  return random_variables(shapes_of(model_of(names, **options)), seed)


@pytest.mark.parametrize("pooling", ["lse", "lse_lba"])
def test_every_head_and_nothing_else_has_an_axis_of_findings(pooling):
  axes = finding_axes(model_of("abc", pooling=pooling))
  heads = {path[1:3] for path, axis in axes.items() if axis is not None}
  want = {("classification", "saliency"), ("crop_classifier", "heads")}
  if pooling == "lse_lba":
    want.add(("classification", "beta"))
  assert heads == want
  assert set(axes.values()) == {None, 0}


def test_a_models_logits_follow_its_findings_names():
  """Of the findings that both have, whatever their number and order."""
  theirs, ours = ("a", "b", "c", "d"), ("d", "x", "b")
  given, fresh = variables_of(theirs, 0), variables_of(ours, 1)
  done = transfer(model_of(ours), fresh, ours, given, theirs)
  assert done.kept == ("d", "b")
  assert done.fresh == ("x",)
  images = jax.random.normal(jax.random.key(0), (1, 64, 64, 3))
  want = model_of(theirs).apply(given, images)[0]
  got = model_of(ours).apply(done.variables, images)[0]
  for name in done.kept:
    for a, b in zip(got, want):
      np.testing.assert_allclose(
        a[:, ours.index(name)], b[:, theirs.index(name)], rtol=1e-5
      )
  flat, before = map(traverse_util.flatten_dict, (done.variables, fresh))
  head = ("params", "classification", "saliency", "conv2", "kernel")
  np.testing.assert_array_equal(flat[head][1], before[head][1])
  assert (flat[head][0] != before[head][0]).any()


def test_the_same_findings_are_taken_whole():
  names = ("a", "b", "c")
  given, fresh = variables_of(names, 0), variables_of(names, 1)
  done = transfer(model_of(names), fresh, names, given, names)
  assert done.kept == names
  jax.tree.map(np.testing.assert_array_equal, done.variables, given)


def test_a_classifier_leaves_the_rest_fresh():
  names = ("a", "b", "c")
  given, fresh = variables_of(names, 0), variables_of(names, 1)
  part = {k: {"classification": v["classification"]} for k, v in given.items()}
  done = transfer(model_of(names), fresh, names, part, names, stage=1)
  for kind in ("params", "batch_stats"):
    for group, tree in done.variables[kind].items():
      want = given if group == "classification" else fresh
      jax.tree.map(np.testing.assert_array_equal, tree, want[kind][group])


def test_another_model_is_refused_by_the_leaves_that_differ():
  names = ("a", "b", "c")
  wider = ChexModel(num_classes=3, **SIZES | {"hidden": 7})
  given = random_variables(shapes_of(wider))
  with pytest.raises(WeightsError, match=r"saliency/conv1/kernel is \[3, 1"):
    transfer(model_of(names), variables_of(names, 1), names, given, names)
