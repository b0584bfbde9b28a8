"""A run's workdir: the options and the data that it began with.

`config.json` holds the options, `data.json` identifies the data. A run can be
continued only with the same options and data.
"""

import dataclasses
import json
import pathlib
from typing import Any, get_type_hints

from chexjax import io
from chexjax.data.sources import Dataset
from chexjax.training.config import Config, as_json

# Options that may differ between a run and its continuation.
_FREE = (
  "stage",
  "workdir",
  "data_dir",
  "more_data",
  "cache_dir",
  "compilation_cache",
  "coordinator",
  "num_processes",
  "process_id",
  "num_examples",
  "on_nan",
  "max_nan",
)


# What a run writes at its end, and the folders that it writes into.
_FILES = ("metrics.jsonl", "results.json", "evaluation.npz", "cases.zip")
_FOLDERS = ("checkpoints", "figures", "tensorboard")


def check_places(workdir: pathlib.Path) -> None:
  """See that no folder is where a file of a run goes, nor a file in a folder's.

  Args:
    workdir: of the run; it need not exist.

  Raises:
    OSError: something is in the way; names it.
  """
  for name in _FILES:
    if (workdir / name).is_dir():
      raise IsADirectoryError(
        f"{workdir / name} is a folder, and a run writes a file there; move it"
      )
  for name in _FOLDERS:
    if (workdir / name).exists() and not (workdir / name).is_dir():
      raise NotADirectoryError(
        f"{workdir / name} is a file, and a run needs a folder there; move it"
      )


def check_options(config: Config) -> None:
  """Compare the options with those of the workdir, if it has any.

  Args:
    config: of this run.

  Raises:
    ValueError: the workdir belongs to another configuration; lists every
      option that differs.
  """
  path = config.workdir / "config.json"
  ours = as_json(config)
  if path.exists():
    # `stored` fills in options that are newer than the workdir.
    theirs = as_json(stored(config.workdir))
    differing = _differences(
      {k: v for k, v in theirs.items() if k not in _FREE},
      {k: v for k, v in ours.items() if k not in _FREE},
    )
    if differing:
      raise ValueError(
        f"{path} holds another configuration:\n  "
        + "\n  ".join(differing)
        + "\nGive the same options, or another --workdir."
      )


def store(config: Config, provenance: dict[str, Any]) -> None:
  """Write `config.json` to the workdir, after `check_options`.

  Options that may differ, such as `stage`, are overwritten.

  Args:
    config: of this run.
    provenance: of `provenance.collect`.

  Raises:
    ValueError: see `check_options`.
  """
  check_options(config)
  config.workdir.mkdir(parents=True, exist_ok=True)
  io.write_json(
    config.workdir / "config.json",
    {"config": as_json(config), "provenance": provenance},
  )


def stored(workdir: pathlib.Path) -> Config:
  """Return the configuration of a workdir.

  Options that are newer than the workdir have their defaults.

  Args:
    workdir: of a run.

  Returns:
    The configuration, with `workdir` as given.

  Raises:
    FileNotFoundError: the workdir has no `config.json`.
    ValueError: the file has an unknown option.
  """
  path = workdir / "config.json"
  if not path.exists():
    raise FileNotFoundError(f"no {path}: not a workdir of experiments.run")
  values = io.read_object(path, "config")["config"]
  if not isinstance(values, dict) or "seed" not in values:
    raise ValueError(f"{path} is damaged: config holds no options")
  # Old files lack this option: the phantom had the seed of the run.
  values.setdefault("phantom_seed", values["seed"])
  values["workdir"] = str(workdir)
  return _revive(Config, values, path)


def _revive(kind: Any, values: dict[str, Any], path: pathlib.Path) -> Any:
  """Turn JSON values back into a dataclass with its paths and tuples."""
  fields = {field.name: field for field in dataclasses.fields(kind)}
  unknown = values.keys() - fields.keys()
  if unknown:
    raise ValueError(f"{path}: unknown options {', '.join(sorted(unknown))}")
  hints = get_type_hints(kind)
  result = {}
  for name, value in values.items():
    hint = hints[name]
    if dataclasses.is_dataclass(hint):
      value = _revive(hint, value, path)
    elif isinstance(value, list):
      value = tuple(value)
    elif isinstance(value, str) and "Path" in str(hint):
      value = pathlib.Path(value)
    result[name] = value
  return kind(**result)


def _differences(
  theirs: dict[str, Any], ours: dict[str, Any], prefix: str = "--"
) -> list[str]:
  lines: list[str] = []
  for name in sorted(theirs.keys() | ours.keys()):
    a, b = theirs.get(name), ours.get(name)
    if isinstance(a, dict) and isinstance(b, dict):
      lines += _differences(a, b, f"{prefix}{name}.")
    elif a != b:
      lines.append(f"{prefix}{name}: there {a}, here {b}")
  return lines


def check_data(config: Config, dataset: Dataset) -> None:
  """Write `data.json` to the workdir, or compare with the one there.

  It holds the findings, the size, the split and the hashes of the lists. The
  images themselves are not compared.

  Args:
    config: of the run; gives the workdir.
    dataset: of the run.

  Raises:
    ValueError: the run began with other data; lists what differs.
  """
  path = config.workdir / "data.json"
  known = ("findings", "size", "validation", "split_hash", "files", "shape")
  ours = {name: dataset.metadata.get(name) for name in known}
  ours = json.loads(json.dumps(ours))
  # Sets of one way only, and older workdirs, do not say it.
  ours["shape"] = ours["shape"] or "squeeze"
  if path.exists():
    theirs = {"shape": "squeeze"} | io.read_object(path)
    differing = [name for name in known if theirs.get(name) != ours[name]]
    if differing:
      raise ValueError(
        f"the run in {config.workdir} began with other data: "
        + "; ".join(f"{n}: {theirs.get(n)}, now {ours[n]}" for n in differing)
        + ". Give the data it began with, or another --workdir"
      )
    return
  io.write_json(path, ours)
