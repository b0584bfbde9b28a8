"""State dicts as files: PyTorch's own and safetensors.

A `.pth` is a pickle, and a pickle can run code. It is read by PyTorch's
restricted unpickler, which rebuilds tensors and refuses all else.
"""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from chexjax.io import replacing
from chexjax.weights.merge import WeightsError

TORCH_SUFFIXES = (".pth", ".pt")
SUFFIXES = (*TORCH_SUFFIXES, ".safetensors")


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
  """Reads a file's tensors by name; runs nothing that is in it.

  Args:
    path: `.pth`, `.pt` or `.safetensors`.

  Returns:
    name -> array; half precision comes as float32.

  Raises:
    FileNotFoundError: there is no such file.
    ImportError: torch, or safetensors, is not installed.
    WeightsError: the file is damaged, holds anything but tensors, or has
      another suffix.
  """
  path = pathlib.Path(path)
  if path.suffix not in SUFFIXES:
    raise WeightsError(f"{path}: must end in {', '.join(SUFFIXES)}")
  if not path.is_file():
    raise FileNotFoundError(f"no file {path}")
  read = _read_torch if path.suffix in TORCH_SUFFIXES else _read_safetensors
  state = read(path)
  if not state:
    raise WeightsError(f"{path} holds no tensor")
  return state


def write_state_dict(
  path: str | os.PathLike[str], state: Mapping[str, np.ndarray]
) -> None:
  """Writes tensors as `.pth`, `.pt` or `.safetensors`, whole or not at all.

  Raises:
    ImportError: torch, or safetensors, is not installed.
    WeightsError: for another suffix.
  """
  path = pathlib.Path(path)
  if path.suffix not in SUFFIXES:
    raise WeightsError(f"{path}: must end in {', '.join(SUFFIXES)}")
  with replacing(path) as scratch:
    if path.suffix in TORCH_SUFFIXES:
      torch = import_torch()
      tensors = {k: torch.from_numpy(np.array(v)) for k, v in state.items()}
      torch.save(tensors, scratch)
    else:
      _import_safetensors().numpy.save_file(dict(state), scratch)


def import_torch() -> Any:
  """Imports torch, or says how to get it.

  Raises:
    ImportError: it is absent, or so old (before 2.6) that its restricted
      unpickler can be made to run code (CVE-2025-32434).
  """
  try:
    import torch
  except ImportError as error:
    raise ImportError(
      "reading or writing a .pth needs PyTorch: pip install 'chexjax[torch]' "
      "(or give a .safetensors)"
    ) from error
  version = tuple(int(part) for part in torch.__version__.split(".")[:2])
  if version < (2, 6):
    raise ImportError(
      f"torch {torch.__version__} does not read foreign files safely; 2.6 or "
      "newer does"
    )
  return torch


def _import_safetensors() -> Any:
  try:
    import safetensors.numpy
  except ImportError as error:
    raise ImportError(
      "a .safetensors needs the safetensors library: pip install "
      "'chexjax[torch]'"
    ) from error
  return safetensors


def _read_torch(path):
  torch = import_torch()
  try:
    content = torch.load(path, map_location="cpu", weights_only=True)
  except Exception as error:  # a damaged file can raise almost anything
    reason = str(error).strip().splitlines() or [repr(error)]
    refused = "Unsupported" in str(error) or "WeightsUnpickler" in str(error)
    what = (
      "is refused: it holds more than tensors, or is damaged"
      if refused
      else "cannot be read"
    )
    raise WeightsError(f"{path} {what} ({_named(reason)})") from error
  if not isinstance(content, Mapping):
    raise WeightsError(
      f"{path} holds a {type(content).__name__}, not a dict of tensors by name"
    )
  return {k: _to_numpy(torch, path, k, v) for k, v in content.items()}


def _named(lines):
  """The line of PyTorch's long message that names what it met."""
  for line in lines:
    if "WeightsUnpickler error" in line or "Unsupported" in line:
      return line.strip()
  return lines[0]


def _to_numpy(torch, path, name, value):
  if not isinstance(name, str) or not isinstance(value, torch.Tensor):
    raise WeightsError(
      f"{path}: entry {name!r} is a {type(value).__name__}, not a tensor; "
      "must be a plain state dict"
    )
  if value.layout != torch.strided or value.is_quantized or value.is_meta:
    raise WeightsError(f"{path}: {name} is no plain dense tensor")
  value = value.detach()
  if value.dtype in (torch.bfloat16, torch.float16):
    value = value.float()
  return value.numpy()


def _read_safetensors(path):
  library = _import_safetensors()
  try:
    return library.numpy.load_file(path)
  except Exception as error:  # its own error type, or one of numpy's
    raise WeightsError(f"{path} cannot be read ({error})") from error
