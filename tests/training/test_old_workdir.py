"""A workdir of version 0.1.0 stays readable.

`old_workdir.zip` holds `config.json` and the last checkpoint of a run
with the options of `tiny.py`, made on 2026-11-24 with the libraries that its
`config.json` names, and the logits its model had for one image.
"""

import json
import pathlib
import zipfile

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

from chexjax.inference.forward import make_forward
from chexjax.training import setup
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.state import create_state
from chexjax.training.workdir import stored as load_config
from chexjax.weights.loading import load_model


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
  folder = tmp_path_factory.mktemp("old")
  with zipfile.ZipFile(
    pathlib.Path(__file__).parent / "old_workdir.zip"
  ) as old:
    old.extractall(folder)
  return folder


def test_its_model_computes_what_it_did(workdir):
  model, variables, info = load_model(workdir)
  images = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 1), np.uint8)
  got = make_forward(model, info)(variables, images)
  for name, want in json.loads((workdir / "expected.json").read_text()).items():
    # Six digits were kept; float32 sums in another order.
    np.testing.assert_allclose(got[name], want, atol=2e-5)


def test_its_training_can_go_on(workdir, caplog):
  config = load_config(workdir)
  _, variables, _ = load_model(workdir)
  tx = setup.make_tx(config, 3, 1, 64)
  fresh = create_state(jax.tree.map(np.zeros_like, variables), tx, stage=3)
  checkpoints = Checkpoints(workdir / "checkpoints" / "stage3")
  state, position = checkpoints.restore(1, fresh)
  checkpoints.close()
  assert "etadata" not in caplog.text
  assert position == {"next_index": 1}
  assert state.step == 1
  jax.tree.map(np.testing.assert_array_equal, state.params, variables["params"])
  # A tree then, a vector of its leaves in their order now.
  stored = ocp.StandardCheckpointer().restore(
    checkpoints.folder / "1" / "state"
  )["opt_state"][0][0]
  for name in ("mu", "nu"):
    want = np.concatenate([x.ravel() for x in jax.tree.leaves(stored[name])])
    assert np.abs(want).max() > 0
    np.testing.assert_array_equal(getattr(state.opt_state[0][0], name), want)
