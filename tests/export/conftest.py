"""One model of phantom size, exported in both forms."""

import numpy as np
import pytest
from tiny_workdir import make_workdir

from chexjax.export import export_model
from chexjax.weights.loading import load_model

SIZE = 128


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
  return make_workdir(tmp_path_factory.mktemp("run"))[0]


@pytest.fixture(scope="session")
def exported(tiny_run, tmp_path_factory):
  """A folder with `exported`, `exported_onnx` and films to read."""
  folder = tmp_path_factory.mktemp("exports")
  loaded = load_model(tiny_run)
  export_model(folder / "exported", *loaded, kind="stablehlo")
  export_model(folder / "exported_onnx", *loaded, kind="onnx")
  rng = np.random.default_rng(0)
  films = rng.integers(0, 256, (3, SIZE, SIZE, 1), np.uint8)
  np.save(folder / "films.npy", films)
  return folder
