"""A model with its weights, from any of our sources.

`load_model` reads the authors' `.pth` (or the same as `.safetensors`), a
folder that `convert` wrote, or the workdir of a run.
"""

import dataclasses
import functools
import json
import os
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chexjax import io, messages, weights
from chexjax.models import ChexModel, released_options
from chexjax.runtime import compile_cache
from chexjax.types import FINDINGS
from chexjax.weights.variables import (
  chosen_step,
  restore_variables,
  save_variables,
)

MODEL_FILE = "model.json"
_FORMAT = "chexjax-model/1"
RELEASED_SIZE = 512


@dataclasses.dataclass(frozen=True)
class ModelInfo:
  """What is needed besides the variables to use a model.

  Attributes:
    findings: names of the classes, in order.
    preset: "paper" or "released": whose detection and final map to draw.
    image_size: side of the input, in pixels.
    stage: 1 if only the classification module is trained, else 3.
    options: fields of `ChexModel` that are not its defaults.
    source: origin of the weights, as text.
    counters: PyTorch's batch counters by name, for conversion back.
  """

  findings: tuple[str, ...]
  preset: str
  image_size: int
  stage: int
  options: dict[str, Any]
  source: str
  counters: dict[str, int] = dataclasses.field(default_factory=dict)


_Loaded = tuple[ChexModel, Any, ModelInfo]


def load_model(
  path: str | os.PathLike[str], preset: str | None = None
) -> tuple[ChexModel, Any, ModelInfo]:
  """Build a model and read its weights.

  The options of the model are read with the weights, because the same weights
  mean something else under other options.

  Args:
    path: a released `.pth` or `.safetensors`, a converted folder, or a run's
      workdir. Of a workdir the last stage is read, at the step with the best
      validation AUC.
    preset: "paper" or "released" instead of the weights' own; it changes only
      which maps are drawn.

  Returns:
    The model, its variables and the `ModelInfo`. If its `stage` is 1, the
    variables hold the `classification` group only.

  Raises:
    FileNotFoundError: there is no such path.
    ImportError: torch or safetensors is needed and absent.
    ValueError: the weights do not fit, or the path holds none.
  """
  path = pathlib.Path(path).expanduser()
  if path.is_file():
    loaded = _from_file(path)
  elif (path / MODEL_FILE).is_file():
    loaded = _from_converted(path)
  elif (path / "config.json").is_file():
    loaded = _from_workdir(path)
  elif path.exists():
    raise ValueError(
      f"{path} holds no weights: looked for {path / MODEL_FILE} (of "
      f"experiments.convert) and {path / 'config.json'} (of experiments.run)"
    )
  else:
    raise FileNotFoundError(f"no file or folder {path}")
  model, variables, info = loaded
  if preset is not None:
    info = dataclasses.replace(info, preset=preset)
  return model, variables, info


@functools.lru_cache(maxsize=8)
def shapes_of(model: ChexModel, *, stage: int = 3) -> Any:
  """Return the shapes of a model's variables without allocating them.

  Args:
    model: whose variables they are.
    stage: see `ChexModel`; 1 leaves out detection and crop classifier.

  Returns:
    `params` and `batch_stats` as trees of `jax.ShapeDtypeStruct`.
  """
  image = jnp.zeros((1, 64, 64, 3))
  key = jax.random.key(0)
  # Stored on disk, because tracing the full-size model takes seconds.
  return compile_cache.kept(
    lambda: jax.eval_shape(lambda: model.init(key, image, stage=stage)),
    repr(("shapes", model, stage)),
  )


def released_from_state(
  state: dict[str, np.ndarray], model: ChexModel, *, source: str
) -> weights.Merged:
  """Lay out a released state dict for a model of any size.

  Args:
    state: name -> array.
    model: with `released_options`, of whatever width and depth.
    source: what messages call the state dict.

  Returns:
    `Merged`; of a classifier's file the `classification` group only.

  Raises:
    WeightsError: some entries do not fit; lists all of them.
  """
  return weights.load_released(
    state,
    shapes_of(model),
    num_classes=model.num_classes,
    block_sizes=model.block_sizes,
    crop_stages=model.crop_stages,
    source=source,
  )


def save_model(folder: pathlib.Path, variables: Any, info: ModelInfo) -> None:
  """Write a folder that `load_model` reads; it appears when it is complete.

  Args:
    folder: absent or empty.
    variables: `params` and `batch_stats`.
    info: stored beside them as JSON.

  Raises:
    FileExistsError: `folder` exists and is not empty.
  """
  folder = folder.expanduser().absolute()
  if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
    raise FileExistsError(f"{folder} exists already; give another --out")
  with io.new_folder(folder) as scratch:
    save_variables(scratch / "variables", variables)
    io.write_json(
      scratch / MODEL_FILE, {"format": _FORMAT, **dataclasses.asdict(info)}
    )


def _from_file(path: pathlib.Path) -> _Loaded:
  state = weights.read_state_dict(path)
  options = released_options()
  model = ChexModel(num_classes=len(FINDINGS), **options)
  merged = released_from_state(state, model, source=str(path))
  messages.tell(f"{path}: {merged.describe()}")
  whole = "detection" in merged.variables["params"]
  if not whole:
    messages.tell(f"{path} is a classifier alone: no proposals, no crops")
  return (
    model,
    merged.variables,
    ModelInfo(
      findings=FINDINGS,
      preset="released",
      image_size=RELEASED_SIZE,
      stage=3 if whole else 1,
      options=options,
      source=path.name,
      counters=merged.counters,
    ),
  )


def _from_converted(path: pathlib.Path) -> _Loaded:
  file = path / MODEL_FILE
  record = _read_json(file)
  if record.pop("format", None) != _FORMAT:
    raise ValueError(f"{file}: format must be {_FORMAT!r}")
  try:
    info = ModelInfo(**record)
  except TypeError as error:
    raise ValueError(f"{file}: {error}") from error
  info = dataclasses.replace(info, findings=tuple(info.findings))
  _check_findings(file, info.findings)
  model = make_model(len(info.findings), info.options)
  like = shapes_of(model, stage=info.stage)
  return model, restore_variables(path / "variables", like), info


def _from_workdir(path: pathlib.Path) -> _Loaded:
  config = _read_json(path / "config.json")["config"]
  options = config["model"]
  model = make_model(len(FINDINGS), options)
  for stage in (3, 2, 1):
    folder = path / "checkpoints" / f"stage{stage}"
    step = chosen_step(folder)
    if step is None:
      continue
    messages.tell(f"{path}: stage {stage}, step {step}")
    trained = 1 if stage == 1 else 3
    like = shapes_of(model, stage=trained)
    variables = restore_variables(folder / str(step) / "state", like)
    return (
      model,
      variables,
      ModelInfo(
        findings=FINDINGS,
        preset=config["maps"],
        image_size=config["image_size"],
        stage=trained,
        options=options,
        source=f"{path.absolute().name}, stage {stage}, step {step}",
      ),
    )
  raise ValueError(f"{path} has no checkpoint yet in {path / 'checkpoints'}")


def make_model(num_classes: int, options: dict[str, Any]) -> ChexModel:
  """Build a model from options that were stored as JSON.

  Args:
    num_classes: K.
    options: fields of `ChexModel`; lists become tuples, as JSON has none.

  Returns:
    The model.

  Raises:
    ValueError: `ChexModel` has no field of some name.
  """
  strangers = options.keys() - {f.name for f in dataclasses.fields(ChexModel)}
  if strangers:
    raise ValueError(f"the model has no option {', '.join(sorted(strangers))}")
  fields: dict[str, Any] = {
    k: tuple(v) if isinstance(v, list) else v for k, v in options.items()
  }
  return ChexModel(num_classes=num_classes, **fields)


def _check_findings(file: pathlib.Path, findings: tuple[str, ...]) -> None:
  if findings != FINDINGS:
    raise ValueError(
      f"{file}: findings are {', '.join(findings)}; must be "
      f"{', '.join(FINDINGS)}"
    )


def _read_json(file: pathlib.Path) -> Any:
  try:
    return json.loads(file.read_text())
  except (json.JSONDecodeError, UnicodeDecodeError) as error:
    raise ValueError(f"{file} is no JSON: {error}") from error
