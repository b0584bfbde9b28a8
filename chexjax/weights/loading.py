"""A model with its weights, from any of our sources.

`load_model` reads the authors' `.pth` (or the same as `.safetensors`), a
folder that `convert` wrote, or the workdir of a run.
"""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from chexjax import io, messages, weights
from chexjax.models import ChexModel, released_options
from chexjax.systems import OURS, Model, build_model
from chexjax.types import FINDINGS
from chexjax.weights import run_results
from chexjax.weights.model_info import ModelInfo, box_map_of
from chexjax.weights.shapes import shapes_of
from chexjax.weights.variables import (
  chosen_step,
  restore_variables,
  save_variables,
  stored_findings,
)

MODEL_FILE = "model.json"
_FORMAT = "chexjax-model/1"
RELEASED_SIZE = 512


_Loaded = tuple[Model, Any, ModelInfo]


def load_model(
  path: str | os.PathLike[str], preset: str | None = None
) -> tuple[Model, Any, ModelInfo]:
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
  path = io.expand_home(pathlib.Path(path))
  if path.is_file():
    loaded = _from_file(path)
  elif (path / MODEL_FILE).is_file():
    loaded = _from_converted(path)
  elif (path / "config.json").is_file():
    loaded = _from_workdir(path)
  elif path.exists():
    raise ValueError(
      f"{path} holds no weights: looked for {path / MODEL_FILE} (of "
      f"convert) and {path / 'config.json'} (of experiments.run)"
    )
  else:
    raise FileNotFoundError(f"no file or folder {path}")
  model, variables, info = loaded
  if preset not in (None, info.preset):
    # The percentiles were chosen on the maps of the other preset.
    info = dataclasses.replace(info, preset=preset, percentiles={})
  return model, variables, info


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
  folder = io.expand_home(folder).absolute()
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
  record = io.read_object(file)
  if record.pop("format", None) != _FORMAT:
    raise ValueError(f"{file}: format must be {_FORMAT!r}")
  try:
    info = ModelInfo(**record)
  except TypeError as error:
    raise ValueError(f"{file}: {error}") from error
  info = dataclasses.replace(
    info, findings=_checked_findings(info.findings, file)
  )
  with _fitting_options(file):
    model = make_model(len(info.findings), info.options, system=info.system)
    like = shapes_of(model, stage=info.stage)
  return model, restore_variables(path / "variables", like), info


def _from_workdir(path: pathlib.Path) -> _Loaded:
  file = path / "config.json"
  config = io.read_object(file, "config")["config"]
  if not isinstance(config, dict) or "model" not in config:
    raise ValueError(f"{file} is damaged: config holds no options")
  for stage in (3, 2, 1):
    folder = path / "checkpoints" / f"stage{stage}"
    step = chosen_step(folder)
    if step is None:
      continue
    messages.tell(f"{path}: stage {stage}, step {step}")
    findings = _findings_of_run(path, folder / str(step), config)
    system = config.get("system", OURS)
    trained = 1 if stage == 1 else 3
    with _fitting_options(file):
      model = make_model(len(findings), config["model"], system=system)
      like = shapes_of(model, stage=trained)
    variables = restore_variables(folder / str(step) / "state", like)
    percentiles, cuts = run_results.of_workdir(
      path, stage, box_map_of(trained, system=system)
    )
    return (
      model,
      variables,
      ModelInfo(
        findings=findings,
        preset=config["maps"],
        image_size=config["image_size"],
        stage=trained,
        options=config["model"],
        source=f"{path.absolute().name}, stage {stage}, step {step}",
        shape=config.get("shape", "squeeze"),
        percentiles=percentiles,
        score_cuts=cuts,
        system=system,
        drawn=config.get("data_dir") is None,
      ),
    )
  raise ValueError(f"{path} has no checkpoint yet in {path / 'checkpoints'}")


@contextlib.contextmanager
def _fitting_options(file: pathlib.Path) -> Iterator[None]:
  """Name the file whose options make no model."""
  try:
    yield
  except (TypeError, ValueError, LookupError, AttributeError) as error:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    raise ValueError(
      f"{file} is damaged: its options make no model: {reason}"
    ) from error


def _findings_of_run(
  workdir: pathlib.Path, checkpoint: pathlib.Path, config: dict[str, Any]
) -> tuple[str, ...]:
  """Return the names of a checkpoint's findings, wherever they are written.

  The checkpoint has them itself, or the workdir's `data.json` or
  `results.json`. A workdir with none of these is older; only the phantom's are
  known then.
  """
  names = stored_findings(checkpoint)
  if names is not None:
    return _checked_findings(names, checkpoint)
  for name, keys in (
    ("data.json", ("findings",)),
    ("results.json", ("provenance", "dataset", "findings")),
  ):
    file = workdir / name
    try:
      found = io.read_json(file) if file.is_file() else None
    except ValueError as error:
      messages.warn(f"warning: {error}")
      continue
    for key in keys:
      found = found.get(key) if isinstance(found, dict) else None
    if found is not None:
      return _checked_findings(found, file)
  if config.get("data_dir") is None:
    return FINDINGS
  raise ValueError(
    f"{workdir} does not say what its findings are called: neither its "
    "checkpoint, data.json nor results.json has their names"
  )


def _checked_findings(findings: Any, file: pathlib.Path) -> tuple[str, ...]:
  """Return the names as a tuple.

  Raises:
    ValueError: they are no list of different texts; names the file.
  """
  if (
    not isinstance(findings, list | tuple)
    or not findings
    or not all(isinstance(name, str) and name for name in findings)
    or len(set(findings)) < len(findings)
  ):
    raise ValueError(
      f"{file}: findings must be a list of different names, got {findings!r}"
    )
  return tuple(findings)


def make_model(
  num_classes: int, options: dict[str, Any], *, system: str = OURS
) -> Model:
  """Build a model from options that were stored as JSON.

  Args:
    num_classes: K.
    options: fields of `ChexModel`; lists become tuples, as JSON has none.
    system: see `ModelInfo`.

  Returns:
    The model.

  Raises:
    ValueError: there is no such system or option.
  """
  fields: dict[str, Any] = {
    k: tuple(v) if isinstance(v, list) else v for k, v in options.items()
  }
  return build_model(system, num_classes, **fields)
