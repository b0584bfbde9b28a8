"""Released weights to a checkpoint and back, and everything refused."""

import json

import jax
import numpy as np
import pytest
from tiny_workdir import make_workdir

from chexjax import weights
from chexjax.commands import convert
from chexjax.models import ChexModel, released_options
from chexjax.types import FINDINGS
from chexjax.weights import loading


def classifier_state(seed=0):
  """The released classifier's entries, random, in a few megabytes less."""
  model = ChexModel(**released_options())
  rng = np.random.default_rng(seed)
  variables = jax.tree.map(
    lambda x: rng.uniform(0.5, 1, x.shape).astype(np.float32),
    loading.shapes_of(model, stage=1),
  )
  return weights.save_released(variables)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
  path = tmp_path_factory.mktemp("weights") / "classifier.safetensors"
  weights.write_state_dict(path, classifier_state())
  return path


def run(source, out):
  return convert.main([f"--weights={source}", f"--out={out}"])


def test_there_and_back_is_the_same_file(classifier, tmp_path, capsys):
  assert run(classifier, tmp_path / "c") == 0
  assert "766 of 766 arrays loaded" in capsys.readouterr().out
  assert run(tmp_path / "c", tmp_path / "back.safetensors") == 0
  before, after = (
    weights.read_state_dict(p)
    for p in (classifier, tmp_path / "back.safetensors")
  )
  assert len(after) == 915
  for name, value in before.items():
    assert after[name].dtype == value.dtype
    np.testing.assert_array_equal(after[name], value)
  _, variables, info = loading.load_model(tmp_path / "c")
  assert info.findings == FINDINGS
  assert (info.preset, info.image_size, info.stage) == ("released", 512, 1)
  assert set(variables["params"]) == {"classification"}
  assert run(classifier, tmp_path / "c") == 2  # is there already
  assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["missing", "truncated", "other"])
def test_a_refusal_writes_nothing(classifier, tmp_path, capsys, fault):
  path = tmp_path / "bad.safetensors"
  if fault == "truncated":
    path.write_bytes(classifier.read_bytes()[:1000])
  else:
    state = weights.read_state_dict(classifier)
    if fault == "missing":
      del state["1.inner_blocks.0.bias"]
    else:
      state = {f"features.{k}": v for k, v in list(state.items())[:3]}
    weights.write_state_dict(path, state)
  assert run(path, tmp_path / "out") == 2
  said = capsys.readouterr().err
  assert "bad.safetensors" in said
  assert "nothing was written" in said
  if fault == "missing":
    assert "missing: 1.inner_blocks.0.bias [256]" in said
  assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_converted_folder_has_the_findings_it_says(classifier, tmp_path):
  run(classifier, tmp_path / "c")
  file = tmp_path / "c" / "model.json"
  record = json.loads(file.read_text())
  record["findings"][0] = "Fracture"
  file.write_text(json.dumps(record))
  assert loading.load_model(tmp_path / "c")[2].findings[0] == "Fracture"
  # The authors' code would read its head as one of another finding.
  assert run(tmp_path / "c", tmp_path / "back.safetensors") == 2
  assert not (tmp_path / "back.safetensors").exists()
  for wrong in ([], ["Mass"] * 14, "Mass", [1, 2], None):
    file.write_text(json.dumps(record | {"findings": wrong}))
    with pytest.raises(ValueError, match=r"model\.json: findings must be"):
      loading.load_model(tmp_path / "c")


def test_what_is_no_weights_is_named(tmp_path):
  with pytest.raises(FileNotFoundError, match="no file or folder"):
    loading.load_model(tmp_path / "none")
  (tmp_path / "empty").mkdir()
  with pytest.raises(ValueError, match="holds no weights"):
    loading.load_model(tmp_path / "empty")


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
  """What a run of the phantom leaves, with nothing trained."""
  return make_workdir(tmp_path_factory.mktemp("run"))


def test_a_workdir_gives_the_best_step_of_its_last_stage(workdir):
  folder, variables = workdir
  model, found, info = loading.load_model(folder)
  assert (info.image_size, info.stage, info.preset) == (128, 3, "paper")
  assert "stage 3, step 1" in info.source
  assert model.growth == 4
  jax.tree.map(
    lambda a, b: np.testing.assert_array_equal(a, b + np.float32(1 / 64)),
    found["params"],
    variables["params"],
  )
  assert loading.load_model(folder, "released")[2].preset == "released"


def test_a_model_that_is_not_the_released_one_is_not_written_as_it(
  workdir, tmp_path, capsys
):
  assert run(workdir[0], tmp_path / "w.safetensors") == 2
  said = capsys.readouterr().err
  assert "pooling is lse, must be lse_lba" in said
  assert "growth is 4, must be 32" in said
  assert not list(tmp_path.iterdir())
