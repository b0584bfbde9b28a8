"""The loaders of docs/export.md run as printed, with few packages."""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

import jax
import numpy as np
import pytest

from chexjax.commands import export
from chexjax.export import export_model
from chexjax.export.program import make_program, read_weights
from chexjax.weights.loading import load_model

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "export.md"
LOADERS = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S)
# What JAX, ONNX Runtime and their own needs are called.
JAX = ("jax", "jaxlib", "numpy", "scipy", "ml_dtypes", "opt_einsum",
       "flatbuffers")  # fmt: skip
ONNX = ("onnxruntime", "numpy", "flatbuffers", "google", "packaging")
# Any other package is as if it were not installed.
ALONE = """
import sys
allowed = set({allowed!r}) | set(sys.stdlib_module_names)
class Only:
  def __init__(self, finder):
    self.finder = finder
  def find_spec(self, name, path=None, target=None):
    if name.split(".")[0] in allowed or name.startswith("_"):
      return self.finder.find_spec(name, path, target)
sys.meta_path[:] = map(Only, sys.meta_path)
"""


def printed_by(loader, allowed, folder):
  code = ALONE.format(allowed=allowed) + loader
  done = subprocess.run(
    [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  return [line.split() for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def expected(tiny_run, exported):
  model, variables, info = load_model(tiny_run)
  out = make_program(model, info)(
    read_weights(variables), np.load(exported / "films.npy")
  )
  return jax.device_get(out), info


@pytest.mark.parametrize(("number", "allowed"), [(0, JAX), (1, ONNX)])
def test_a_loader_needs_its_package_alone(number, allowed, exported, expected):
  if number == 1:
    pytest.importorskip("onnxruntime")
  out, info = expected
  rows = printed_by(LOADERS[number], allowed, exported)
  assert [(int(n), name) for n, name, _ in rows] == [
    (n, name) for n in range(3) for name in info.findings
  ]
  # Four digits are printed.
  np.testing.assert_allclose(
    [float(row[2]) for row in rows], out["probabilities"].ravel(), atol=1e-4
  )


def test_there_are_two_short_loaders():
  assert len(LOADERS) == 2
  for loader in LOADERS:
    lines = [line for line in loader.splitlines() if line.strip()]
    assert len(lines) <= 20


def test_the_program_is_of_all_platforms_and_of_none(exported):
  text = (exported / "exported" / "program.bin").read_bytes()
  program = jax.export.deserialize(bytearray(text))
  assert program.platforms == ("cpu", "cuda", "tpu")
  module = program.mlir_module()
  # The free size is checked; nothing else calls a backend's own code.
  assert set(re.findall(r"custom_call @(\w+)", module)) <= {"shape_assertion"}
  assert "inlineable" not in module
  # Products of float32 are asked for on every platform.
  products = re.findall(r"stablehlo\.(?:dot_general|convolution)\b.*", module)
  assert products
  assert all(
    "precision = [HIGHEST, HIGHEST]" in p
    or "#stablehlo<precision HIGHEST>" in p
    for p in products
  )


def test_an_export_leaves_the_forms_for_a_cpu_to_others(tiny_run, exported):
  del exported  # It was made in this process.
  model, variables, info = load_model(tiny_run)
  films = np.zeros((1, 128, 128, 1), np.uint8)
  traced = jax.make_jaxpr(make_program(model, info))(
    read_weights(variables), films
  )
  assert "constant_product" in str(traced)


def test_the_record_describes_the_files(exported, expected):
  out, info = expected
  records = []
  for name in ("exported", "exported_onnx"):
    folder = exported / name
    record = json.loads((folder / "export.json").read_text())
    there = {path.name for path in folder.iterdir()} - {"export.json"}
    assert set(record["files"]) == there
    for file, digest in record["files"].items():
      data = (folder / file).read_bytes()
      assert hashlib.sha256(data).hexdigest() == digest
    records.append(record)
  one, two = records
  assert one["disclaimer"] == "Research software, not a medical device."
  assert one["findings"] == list(info.findings)
  assert one["input"]["shape"] == ["batch", 128, 128, 1]
  assert one["preprocessing"]["shape"] == "squeeze"
  assert set(one["outputs"]) == set(out)
  assert set(one["thresholds"]) == set(info.findings)
  assert one["weights_sha256"] == two["weights_sha256"]


def test_a_folder_in_use_and_another_kind_are_refused(tiny_run, exported):
  loaded = load_model(tiny_run)
  with pytest.raises(FileExistsError, match="give another --out"):
    export_model(exported / "exported", *loaded, kind="onnx")
  with pytest.raises(ValueError, match="kind must be one of"):
    export_model(exported / "new", *loaded, kind="savedmodel")


def test_the_command_says_what_is_at_fault(tiny_run, exported, capsys):
  out = exported / "exported"
  argv = [f"--weights={tiny_run}", "--format=onnx"]
  assert export.main([*argv, f"--out={out}"]) == 2
  assert "exists already" in capsys.readouterr().err
  argv[0] = f"--weights={exported}"
  assert export.main([*argv, f"--out={exported / 'new'}"]) == 2
  assert "holds no weights" in capsys.readouterr().err
  assert not (exported / "new").exists()
