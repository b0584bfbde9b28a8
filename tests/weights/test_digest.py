"""The digest of weights: of their values, not of their files."""

import dataclasses

import numpy as np
from tiny_workdir import make_workdir

from chexjax.weights.digest import digest_of
from chexjax.weights.loading import load_model, save_model


def test_a_converted_folder_has_the_digest_of_its_run(tmp_path):
  workdir, _ = make_workdir(tmp_path / "run")
  _, variables, info = load_model(workdir)
  save_model(tmp_path / "converted", variables, info)
  _, again, other = load_model(tmp_path / "converted")
  assert dataclasses.asdict(other)["source"] == info.source
  digest = digest_of(variables)
  assert len(digest) == 64
  assert digest_of(again) == digest
  assert digest_of({"a": np.ones(3)}) != digest_of({"b": np.ones(3)})
  assert digest_of({"a": np.ones(3)}) != digest_of({"a": np.ones((3, 1))})
