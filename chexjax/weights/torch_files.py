"""State dicts as files: PyTorch's own format and safetensors.

A `.pth` is a pickle, and loading a pickle can run code. PyTorch's restricted
unpickler reads it: it rebuilds tensors and refuses everything else.
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
  """Read a file's tensors by name, without running any code in it.

  Args:
    path: `.pth`, `.pt` or `.safetensors`.

  Returns:
    Name -> array; float16 and bfloat16 of a `.pth` become float32.

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
  """Write tensors to a file, which appears when it is complete.

  Args:
    path: `.pth`, `.pt` or `.safetensors`; an existing file is replaced.
    state: name -> array.

  Raises:
    ImportError: torch, or safetensors, is not installed.
    WeightsError: the file has another suffix.
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
  """Return the torch module, imported when it is first needed.

  Raises:
    ImportError: torch is absent (the message says how to install it), or
      older than 2.6: the restricted unpickler of such versions can be made to
      run code (CVE-2025-32434).
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


def _read_torch(path: pathlib.Path) -> dict[str, np.ndarray]:
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


def _named(lines: list[str]) -> str:
  """Return the line of PyTorch's long message that names the refused object."""
  for line in lines:
    if "WeightsUnpickler error" in line or "Unsupported" in line:
      return line.strip()
  return lines[0]


def _to_numpy(
  torch: Any, path: pathlib.Path, name: Any, value: Any
) -> np.ndarray:
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


def _read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
  library = _import_safetensors()
  try:
    return library.numpy.load_file(path)
  except Exception as error:  # its own error type, or one of numpy's
    raise WeightsError(f"{path} cannot be read ({error})") from error
