"""What a run starts from, known before anything runs."""

import dataclasses
import sys
import types

import jax
import numpy as np
import pytest

from chexjax import weights
from chexjax.training import initial_weights, setup
from chexjax.types import FINDINGS
from chexjax.weights import backbones, imagenet, loading, merge
from experiments.configs import CONFIGS
from experiments.run import main

PAPER = CONFIGS["paper"]


def start(config, **options):
  return initial_weights.load(dataclasses.replace(config, **options))


def imagenet_states():
  like = loading.shapes_of(setup.make_model(PAPER, len(FINDINGS)))
  ones = jax.tree.map(lambda x: np.ones(x.shape, np.float32), like)
  tables = {
    "densenet121": backbones.densenet_entries(
      "features.", imagenet.DENSENET_PATH, (6, 12, 24, 16)
    ),
    "resnet34": backbones.resnet_entries(
      ("conv1", "bn1"), [f"layer{i}" for i in (1, 2, 3, 4)],
      imagenet.RESNET_PATH, (3, 4, 6, 3),
    ),
  }  # fmt: skip
  return {name: merge.unmerge(ones, table) for name, table in tables.items()}


@pytest.fixture(scope="module")
def init_dir(tmp_path_factory):
  """As timm's repositories come: a folder each, the same file name."""
  folder = tmp_path_factory.mktemp("imagenet")
  for name, state in imagenet_states().items():
    (folder / f"{name}.tv_in1k").mkdir()
    weights.write_state_dict(
      folder / f"{name}.tv_in1k" / "model.safetensors", state
    )
  return folder


def test_imagenet_fills_both_backbones_and_nothing_else(init_dir, capsys):
  found = start(PAPER, init="imagenet", init_dir=init_dir)
  assert capsys.readouterr().out.count("arrays loaded") == 2
  assert "from ImageNet" in found.text
  model = setup.make_model(PAPER, len(FINDINGS))
  like = loading.shapes_of(model)
  zeros = jax.tree.map(lambda x: np.zeros(x.shape, np.float32), like)
  filled = found.put_into(zeros, model, FINDINGS)["params"]
  for part, of in (
    ("classification", "densenet"), ("crop_classifier", "resnet")
  ):  # fmt: skip
    for name, tree in filled[part].items():
      values = {float(leaf.min()) for leaf in jax.tree.leaves(tree)}
      assert values == ({1.0} if name == of else {0.0}), (part, name)
  assert not any(leaf.any() for leaf in jax.tree.leaves(filled["detection"]))


def test_the_hub_is_asked_only_without_a_folder(init_dir, monkeypatch):
  asked = []

  def hf_hub_download(repo, name):
    asked.append(repo)
    return init_dir / repo.removeprefix("timm/") / name

  fake = types.SimpleNamespace(hf_hub_download=hf_hub_download)
  monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
  start(PAPER, init="imagenet", init_dir=init_dir)
  start(PAPER, init="none")
  assert not asked
  # As the paper, without being told.
  start(PAPER)
  assert asked == ["timm/densenet121.tv_in1k", "timm/resnet34.tv_in1k"]


def test_no_network_and_no_client_are_said(monkeypatch):
  def offline(repo, name):
    raise RuntimeError("name resolution failed")

  fake = types.SimpleNamespace(hf_hub_download=offline)
  monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
  with pytest.raises(OSError, match=r"no network.*--init_dir"):
    start(PAPER, init="imagenet")
  monkeypatch.setitem(sys.modules, "huggingface_hub", None)
  with pytest.raises(ImportError, match=r"chexjax\[hub\]"):
    start(PAPER, init="imagenet")


@pytest.mark.parametrize(
  ("config", "options", "said"),
  [
    ("phantom", {"init": "imagenet"}, "growth is 16, must be 32"),
    ("paper", {"init": "released"}, "needs --init_dir"),
    ("paper", {"init": "none", "init_dir": "."}, "needs --init="),
    ("paper", {"init": "imagnet"}, "no file or folder imagnet"),
  ],
)
def test_faults_are_known_before_anything_runs(config, options, said):
  with pytest.raises((ValueError, OSError), match=said):
    start(CONFIGS[config], **options)


def test_an_empty_folder_and_a_paper_model_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match="densenet121"):
    start(PAPER, init="imagenet", init_dir=tmp_path)
  (tmp_path / "fullmodel_densenet121.pth").write_bytes(b"")
  with pytest.raises(ValueError, match="--config=released"):
    start(PAPER, init="released", init_dir=tmp_path)


def test_the_run_stops_before_its_workdir_is_made(tmp_path, capsys):
  argv = ["--init=imagenet", f"--workdir={tmp_path / 'w'}"]
  assert main(argv) == 2
  assert "needs DenseNet-121" in capsys.readouterr().err
  assert not list(tmp_path.iterdir())


def test_another_runs_workdir_is_a_start(tmp_path):
  from tiny_workdir import make_workdir

  folder, variables = make_workdir(tmp_path / "old")
  model = loading.load_model(folder)[0]
  options = {f.name for f in dataclasses.fields(CONFIGS["phantom"].model)}
  config = dataclasses.replace(
    CONFIGS["phantom"],
    model=dataclasses.replace(
      CONFIGS["phantom"].model, **{k: getattr(model, k) for k in options}
    ),
  )
  found = start(config, init=str(folder))
  filled = found.put_into(variables, model, FINDINGS)["params"]
  jax.tree.map(
    lambda a, b: np.testing.assert_array_equal(a, b + np.float32(1 / 64)),
    filled,
    variables["params"],
  )
  with pytest.raises(ValueError, match="is of another model"):
    start(CONFIGS["phantom"], init=str(folder))
