"""Conversion of released weights to a folder of ours, and back."""

import contextlib
import dataclasses
import pathlib

from chexjax import messages, weights
from chexjax.io import expand_home
from chexjax.models import ChexModel, released_options
from chexjax.systems import Model
from chexjax.types import FINDINGS
from chexjax.weights import loading
from chexjax.weights.model_info import ModelInfo
from chexjax.weights.torch_files import SUFFIXES
from chexjax.weights.variables import try_checkpoint

# Fields that affect training only, not what the weights compute.
_FREE = ("noise_scale", "lse_r", "dtype", "kernels", "remat", "parent", "name")


def convert(source: pathlib.Path, out: pathlib.Path) -> None:
  """Convert weights; the suffix of the destination gives the direction.

  Args:
    source: any path that `load_model` reads.
    out: without a suffix of `torch_files`, an absent or empty folder, written
      in our format; otherwise a `.pth` or `.safetensors` file, which the
      authors' code loads with `strict=True`.

  Raises:
    FileExistsError: the destination exists.
    ValueError: the weights do not fit, or their model is not one that the
      authors' code can build.
  """
  out = expand_home(out)
  back = out.suffix in SUFFIXES
  if out.exists() and (back or not out.is_dir() or any(out.iterdir())):
    raise FileExistsError(f"{out} exists already; give another --out")
  if not back:
    out.mkdir(parents=True, exist_ok=True)
    try:
      try_checkpoint(out)
    finally:
      # An error of the trial itself is the one to be told.
      with contextlib.suppress(OSError):
        out.rmdir()
  model, variables, info = loading.load_model(source)
  if not back:
    out.parent.mkdir(parents=True, exist_ok=True)
    loading.save_model(out, variables, info)
    messages.tell(f"wrote {out}: {info.image_size} px, preset {info.preset}")
    return
  _check_released(source, model, info)
  state = weights.save_released(variables, counters=info.counters)
  out.parent.mkdir(parents=True, exist_ok=True)
  weights.write_state_dict(out, state)
  messages.tell(f"wrote {out}: {len(state)} entries under the released names")


def _check_released(
  source: pathlib.Path, model: Model, info: ModelInfo
) -> None:
  """Raise a ValueError for a model that the authors' code computes otherwise.

  Their code would load such weights without an error.
  """
  if not isinstance(model, ChexModel):
    raise ValueError(
      f"{source} is of the system {info.system}, which the authors' code does "
      "not know"
    )
  theirs = ChexModel(**released_options())
  if info.findings != FINDINGS:
    raise ValueError(
      f"{source} is of findings {', '.join(info.findings)}; the authors' code "
      f"knows {', '.join(FINDINGS)} alone"
    )
  differing = [
    f"{field.name} is {getattr(model, field.name)}, must be "
    f"{getattr(theirs, field.name)}"
    for field in dataclasses.fields(ChexModel)
    if field.name not in _FREE
    and getattr(model, field.name) != getattr(theirs, field.name)
  ]
  if differing:
    raise ValueError(
      f"{source} is not the released model, the authors' code would compute "
      "something else with it:\n  " + "\n  ".join(differing)
    )
