"""The folder that `export` writes."""

import hashlib
import json
import pathlib
from typing import Any

import numpy as np

from chexjax import io
from chexjax.export.description import describe
from chexjax.export.onnx_file import make_onnx
from chexjax.export.program import read_weights
from chexjax.export.stablehlo import make_stablehlo
from chexjax.progress import Progress
from chexjax.systems import Model
from chexjax.weights.digest import digest_of
from chexjax.weights.model_info import ModelInfo

KINDS = ("stablehlo", "onnx")
RECORD = "export.json"


def export_model(
  folder: pathlib.Path,
  model: Model,
  variables: Any,
  info: ModelInfo,
  *,
  kind: str,
) -> None:
  """Write a model to a folder that can be used without this library.

  The folder appears when it is complete. `stablehlo` is `program.bin` with
  `weights.npz`, `onnx` is `model.onnx`; `export.json` describes either, and is
  metadata of the latter.

  Args:
    folder: absent or empty.
    model: the linen module.
    variables: `params` and `batch_stats`.
    info: belongs to the variables.
    kind: one of `KINDS`.

  Raises:
    FileExistsError: `folder` exists and is not empty.
    ImportError: the package that writes this kind is absent.
    ValueError: the kind is another one.
  """
  if kind not in KINDS:
    raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
  check_new(folder)
  digest = digest_of(variables)
  record = describe(info, kind=kind, digest=digest)
  with io.new_folder(folder) as scratch:
    if kind == "stablehlo":
      with Progress("exporting for cpu, cuda and tpu"):
        program = make_stablehlo(model, variables, info)
      (scratch / "program.bin").write_bytes(program)
      weights = read_weights(variables)
      np.savez(scratch / "weights.npz", **weights)  # type: ignore[arg-type]
    else:
      with Progress("converting to ONNX"):
        made = make_onnx(model, variables, info, record=json.dumps(record))
      (scratch / "model.onnx").write_bytes(made)
    files = {
      path.name: hashlib.sha256(path.read_bytes()).hexdigest()
      for path in sorted(scratch.iterdir())
    }
    io.write_json(scratch / RECORD, record | {"files": files})


def check_new(folder: pathlib.Path) -> None:
  """Check that a folder is absent or empty.

  Raises:
    OSError: it is not, or cannot be made; names it.
  """
  if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
    raise FileExistsError(f"{folder} exists already; give another --out")
  io.check_folder(folder)
