"""Heads of every system follow the findings' names."""

import jax
import numpy as np
import pytest
from flax import traverse_util
from small_models import random_variables

from chexjax.systems import SYSTEMS, build_model
from chexjax.weights.findings import finding_axes, transfer
from chexjax.weights.shapes import shapes_of

SMALL = {
  "block_sizes": (1, 1), "growth": 4, "bn_size": 2, "stem": 4,
  "fpn_features": 4, "hidden": 4,
}  # fmt: skip
DIFFERENT = [name for name in SYSTEMS if not name.startswith("yao2018_like_r")]
FINDINGS = ("a", "b", "c")


def variables_of(name, findings, seed):
  model = build_model(name, len(findings), **SMALL)
  return model, random_variables(shapes_of(model, stage=1), seed)


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_same_findings_are_taken_whole(name):
  model, given = variables_of(name, FINDINGS, 0)
  _, fresh = variables_of(name, FINDINGS, 1)
  done = transfer(model, fresh, FINDINGS, given, FINDINGS, stage=1)
  assert done.kept == FINDINGS
  jax.tree.map(np.testing.assert_array_equal, done.variables, given)


@pytest.mark.parametrize("name", DIFFERENT)
def test_slices_follow_the_names(name):
  ours = ("c", "x", "y", "a")
  _, given = variables_of(name, FINDINGS, 0)
  model, fresh = variables_of(name, ours, 1)
  done = transfer(model, fresh, ours, given, FINDINGS, stage=1)
  assert (done.kept, done.fresh) == (("c", "a"), ("x", "y"))
  flat, theirs, before = map(
    traverse_util.flatten_dict, (done.variables, given, fresh)
  )
  for path, axis in finding_axes(model, stage=1).items():
    if axis is None:
      np.testing.assert_array_equal(flat[path], theirs[path])
      continue
    got, want, own = (
      np.moveaxis(np.asarray(x[path]), axis, 0) for x in (flat, theirs, before)
    )
    np.testing.assert_array_equal(got[[0, 3]], want[[2, 0]])
    np.testing.assert_array_equal(got[[1, 2]], own[[1, 2]])
    # "No finding" of WSRPN, which every set has.
    np.testing.assert_array_equal(got[4:], want[3:])
