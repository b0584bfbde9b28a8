"""Files of tensors: read whole, or refused; never run."""

import pathlib
import pickle
import sys

import numpy as np
import pytest

from chexjax.weights import WeightsError, read_state_dict, write_state_dict

STATE = {
  "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
  "a.num_batches_tracked": np.asarray(3, np.int64),
}


class Bomb:
  """Touches a file when it is unpickled."""

  def __init__(self, path):
    self.path = path

  def __reduce__(self):
    return pathlib.Path.touch, (self.path,)


@pytest.fixture
def torch():
  return pytest.importorskip("torch", reason="reads and writes a .pth")


def same(state):
  assert list(state) == list(STATE)
  for name, value in STATE.items():
    assert state[name].dtype == value.dtype
    np.testing.assert_array_equal(state[name], value)


def test_safetensors_there_and_back(tmp_path):
  write_state_dict(tmp_path / "w.safetensors", STATE)
  state = read_state_dict(tmp_path / "w.safetensors")
  same({name: state[name] for name in STATE})
  assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_torch_there_and_back(tmp_path, torch):
  write_state_dict(tmp_path / "w.pth", STATE)
  same(read_state_dict(tmp_path / "w.pth"))
  loaded = torch.load(tmp_path / "w.pth")
  assert loaded["a.num_batches_tracked"].dtype == torch.int64
  assert [p.name for p in tmp_path.iterdir()] == ["w.pth"]


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_of_torch_save_and_half_precision(tmp_path, torch, zipped):
  values = {
    "half": torch.tensor([0.5], dtype=torch.bfloat16),
    "parameter": torch.nn.Parameter(torch.ones(2)),
  }
  torch.save(values, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
  state = read_state_dict(tmp_path / "w.pt")
  np.testing.assert_array_equal(state["half"], np.float32([0.5]))
  np.testing.assert_array_equal(state["parameter"], np.ones(2, np.float32))


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle"])
def test_a_callable_is_refused_and_not_called(tmp_path, torch, kind):
  path, marker = tmp_path / "w.pth", tmp_path / "it_ran"
  content = {"a": torch.ones(1), "b": Bomb(marker)}
  if kind == "pickle":
    path.write_bytes(pickle.dumps(content["b"]))
  else:
    torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")
  with pytest.raises(WeightsError, match=r"w\.pth is refused"):
    read_state_dict(path)
  assert not marker.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("keep", [0, 20, -40])
def test_a_truncated_file_is_refused(tmp_path, suffix, keep):
  if suffix == ".pth":
    pytest.importorskip("torch", reason="reads and writes a .pth")
  path = tmp_path / f"w{suffix}"
  write_state_dict(path, STATE)
  path.write_bytes(path.read_bytes()[:keep])
  with pytest.raises(WeightsError, match=path.name):
    read_state_dict(path)


@pytest.mark.parametrize(
  ("content", "said"),
  [
    ({"state_dict": {"a": 1}}, "'state_dict' is a dict, not a tensor"),
    ({"a": 1.5}, "'a' is a float"),
    ([1, 2], "holds a list"),
    ({}, "holds no tensor"),
  ],
)
def test_what_is_no_plain_state_dict_is_named(tmp_path, torch, content, said):
  torch.save(content, tmp_path / "w.pth")
  with pytest.raises(WeightsError, match=said):
    read_state_dict(tmp_path / "w.pth")


def test_sparse_tensors_are_named(tmp_path, torch):
  torch.save({"a": torch.eye(2).to_sparse()}, tmp_path / "w.pth")
  with pytest.raises(WeightsError, match="a is no plain dense tensor"):
    read_state_dict(tmp_path / "w.pth")


def test_missing_files_and_other_suffixes_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
    read_state_dict(tmp_path / "none.safetensors")
  for use in (read_state_dict, lambda path: write_state_dict(path, STATE)):
    with pytest.raises(WeightsError, match=r"must end in \.pth"):
      use(tmp_path / "w.npz")


@pytest.mark.parametrize(
  ("module", "suffix"), [("torch", ".pth"), ("safetensors", ".safetensors")]
)
def test_an_absent_library_is_named(tmp_path, monkeypatch, module, suffix):
  path = tmp_path / f"w{suffix}"
  path.write_bytes(b"x")
  monkeypatch.setitem(sys.modules, module, None)
  monkeypatch.setitem(sys.modules, f"{module}.numpy", None)
  with pytest.raises(ImportError, match=r"chexjax\[torch\]"):
    read_state_dict(path)
