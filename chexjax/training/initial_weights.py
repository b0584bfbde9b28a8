"""The weights that a run starts from: `--init=imagenet`, `released` or a path.

They are read before the data, so that a wrong file is reported in seconds.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
from flax import traverse_util

from chexjax import messages, weights
from chexjax.io import expand_home
from chexjax.systems import (
  Backbone,
  Model,
  OneStageModel,
  trains_on_boxes,
)
from chexjax.training import setup
from chexjax.training.config import Config, ModelConfig
from chexjax.training.weight_files import HUB, download, find_file
from chexjax.types import FINDINGS
from chexjax.weights import loading
from chexjax.weights.findings import transfer
from chexjax.weights.shapes import shapes_of

# Options of the networks that have ImageNet weights; the paper uses them.
_IMAGENET_SIZES: dict[str, Any] = {
  "block_sizes": (6, 12, 24, 16),
  "growth": 32,
  "bn_size": 4,
  "stem": 64,
  "crop_stages": (3, 4, 6, 3),
  "crop_width": 64,
}
_RELEASED = ("fullmodel_densenet121", "classifier_densenet121")


class Start(NamedTuple):
  """The weights that a run starts from.

  Attributes:
    text: their origin, for messages.
    variables: part of a model's variables; may be empty.
    findings: whose heads the variables hold; None if they hold no heads.
    stage: 1 if they are of the classification module alone, else 3.
  """

  text: str
  variables: Any
  findings: tuple[str, ...] | None = None
  stage: int = 3

  def put_into(self, fresh: Any, model: Model, findings: Sequence[str]) -> Any:
    """Put the weights into fresh variables, heads by the findings' names.

    Args:
      fresh: variables of the model; not changed.
      model: of the run.
      findings: names of its K findings.

    Returns:
      The variables that the run starts from. What was kept and what stays
      fresh is told where the findings differ.
    """
    if self.findings is None:
      return weights.replace(fresh, self.variables)
    done = transfer(
      model,
      fresh,
      findings,
      self.variables,
      self.findings,
      stage=self.stage,
    )
    if done.fresh or len(self.findings) > len(findings):
      messages.tell(
        f"heads of {len(done.kept)} findings kept by their names"
        f"{_listed(done.kept)}; fresh heads: {len(done.fresh)}"
        f"{_listed(done.fresh)}; all that findings share is kept"
      )
    return done.variables


def _listed(names: Sequence[str]) -> str:
  return f" ({', '.join(names)})" if names else ""


# For a finished run, which reads its own checkpoints.
FINISHED = Start("of its last stage", {})


def load(config: Config) -> Start:
  """Read the weights that `--init` names.

  Args:
    config: of the run; `init` and `init_dir` say what to read.

  Returns:
    The weights.

  Raises:
    FileNotFoundError: a file is missing; lists where it was looked for.
    ImportError: a library that reads the files is absent.
    OSError: a download failed.
    ValueError: the weights do not fit the model, with a list of all faults; or
      `init` and `init_dir` contradict each other.
  """
  if config.init in (None, "none"):
    if config.init_dir is not None:
      raise ValueError("--init_dir needs --init=imagenet or --init=released")
    return Start("from scratch (no pre-trained weights)", {})
  model = setup.make_model(config, len(FINDINGS))
  if config.init == "imagenet":
    return _imagenet(config, model)
  if config.init == "released":
    if config.init_dir is None:
      raise ValueError(
        "--init=released needs --init_dir=DIR with the authors' "
        + " or ".join(f"{name}.pth" for name in _RELEASED)
      )
    return _released(find_file(config.init_dir, _RELEASED), model)
  if config.init_dir is not None:
    raise ValueError("--init_dir goes with imagenet or released, not a path")
  path = expand_home(pathlib.Path(config.init))
  return _released(path, model) if path.is_file() else _folder(path, config)


def _imagenet(config: Config, model: Model) -> Start:
  """Read both backbones from torchvision's or timm's files.

  A system has no crops, and so no ResNet; it may have two DenseNets.
  """
  readers: dict[str, Any] = dict(
    zip(HUB, (weights.load_densenet, weights.load_resnet))
  )
  if isinstance(model, OneStageModel):
    del readers["resnet34"]
    if not issubclass(model.definition.module, Backbone):
      raise ValueError(
        f"--init=imagenet: {model.system} has a backbone of its own; give "
        "--init=none"
      )
  differing = [
    f"--model.{name} is {getattr(model, name)}, must be {size}"
    for name, size in _IMAGENET_SIZES.items()
    if getattr(model, name, size) != size
  ]
  if differing:
    raise ValueError(
      "--init=imagenet needs DenseNet-121 and ResNet-34, as --config=paper "
      "has them:\n  " + "\n  ".join(differing)
    )
  if config.init_dir is None:
    files = [download(name) for name in readers]
  else:
    files = [find_file(config.init_dir, [name]) for name in readers]
  like = shapes_of(model)
  parts: dict[tuple[str, ...], Any] = {}
  for file, read in zip(files, readers.values()):
    merged = read(weights.read_state_dict(file), like, source=str(file))
    messages.tell(f"{file}: {merged.describe()}")
    parts |= traverse_util.flatten_dict(merged.variables)
  for path in traverse_util.flatten_dict(like):
    if path[2] == "densenet2":
      parts[path] = parts[(*path[:2], "densenet", *path[3:])]
  named = ", ".join(file.name for file in files)
  read_in = "DenseNet-121 and crop ResNet-34"
  if len(readers) == 1:
    read_in = "DenseNet-121"
  return Start(
    f"{read_in} from ImageNet ({named}), the rest from scratch",
    traverse_util.unflatten_dict(parts),
  )


def _released(file: pathlib.Path, model: Model) -> Start:
  """Read the authors' full model or classifier."""
  if isinstance(model, OneStageModel):
    raise ValueError(f"{file} is of the paper's model, not of {model.system}")
  if model.pooling != "lse_lba":
    raise ValueError(
      f"{file} has learned pooling, this model has not: give "
      "--config=released (or --model.pooling=lse_lba)"
    )
  state = weights.read_state_dict(file)
  merged = loading.released_from_state(state, model, source=str(file))
  messages.tell(f"{file}: {merged.describe()}")
  rest = ""
  if weights.is_classifier(state):
    rest = ", detection and crop classifier from scratch"
  return Start(
    f"the authors' {file.name}{rest}",
    merged.variables,
    FINDINGS,
    stage=1 if rest else 3,
  )


def _folder(path: pathlib.Path, config: Config) -> Start:
  """Read a converted folder, or another run's workdir."""
  theirs, variables, info = loading.load_model(path)
  if trains_on_boxes(info.system):
    raise ValueError(
      f"{path} is {info.system}, trained on boxes of test films: no run starts "
      "from it"
    )
  model = setup.make_model(config, len(info.findings))
  ours = traverse_util.flatten_dict(shapes_of(model, stage=info.stage))
  flat = traverse_util.flatten_dict(variables)
  shape = {k: list(v.shape) for k, v in flat.items()}
  want = {k: list(v.shape) for k, v in ours.items()}
  faults = [
    f"{'/'.join(k)} is {shape.get(k, 'absent')} there, {want.get(k, 'absent')}"
    " here"
    for k in sorted(shape.keys() | want.keys())
    if shape.get(k) != want.get(k)
  ]
  if faults:
    raise ValueError(
      f"{path} is of another model, {len(faults)} leaves differ\n  "
      + "\n  ".join(faults)
    )
  messages.tell(f"{path}: {len(flat)} of {len(want)} arrays loaded")
  for field in dataclasses.fields(ModelConfig):
    there, here = (getattr(m, field.name, None) for m in (theirs, model))
    if there != here:
      messages.tell(
        f"note: {path} was made with --model.{field.name}={there}, this run "
        f"has {here}"
      )
  rest = ", the rest from scratch" if info.stage == 1 else ""
  return Start(
    f"{path} ({info.source}){rest}",
    jax.device_get(variables),
    info.findings,
    stage=info.stage,
  )
