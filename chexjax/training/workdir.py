"""A run's workdir: the options and the data that it began with.

`config.json` holds the options, `data.json` what the data was. A run that goes
on must be given the same.
"""

import dataclasses
import json
import pathlib
from typing import Any, get_type_hints

from chexjax import io
from chexjax.data.sources import Dataset
from chexjax.training.config import Config, as_json

# What may differ between a run and its continuation.
_FREE = (
  "stage",
  "workdir",
  "data_dir",
  "cache_dir",
  "compilation_cache",
  "coordinator",
  "num_processes",
  "process_id",
  "num_examples",
  "on_nan",
  "max_nan",
)


def store(config: Config, provenance: dict) -> None:
  """Writes `config.json` to the workdir, after a check of the one there.

  Of what may differ, such as `stage`, the last command's stands.

  Raises:
    SystemExit: when the workdir belongs to another configuration; names every
      option that differs.
  """
  path = config.workdir / "config.json"
  ours = as_json(config)
  if path.exists():
    # With the defaults of the options that are newer than the workdir.
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
  config.workdir.mkdir(parents=True, exist_ok=True)
  io.write_json(path, {"config": ours, "provenance": provenance})


def stored(workdir: pathlib.Path) -> Config:
  """Returns the configuration of a workdir, as its run left it.

  Raises:
    FileNotFoundError: the workdir holds none.
    ValueError: it names an option that there is not.
  """
  path = workdir / "config.json"
  if not path.exists():
    raise FileNotFoundError(f"no {path}: not a workdir of experiments.run")
  values = json.loads(path.read_text())["config"]
  # Before there was the option, the phantom had the run's seed.
  values.setdefault("phantom_seed", values["seed"])
  values["workdir"] = str(workdir)
  return _revive(Config, values, path)


def _revive(kind: Any, values: dict, path: pathlib.Path) -> Any:
  """Turns JSON values back into a dataclass with its paths and tuples."""
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


def _differences(theirs, ours, prefix="--"):
  lines = []
  for name in sorted(theirs.keys() | ours.keys()):
    a, b = theirs.get(name), ours.get(name)
    if isinstance(a, dict) and isinstance(b, dict):
      lines += _differences(a, b, f"{prefix}{name}.")
    elif a != b:
      lines.append(f"{prefix}{name}: there {a}, here {b}")
  return lines


def check_data(config: Config, dataset: Dataset) -> None:
  """Writes `data.json` to the workdir, after a check of the one there.

  It holds the findings, the split and the lists' hashes; images themselves are
  not compared.

  Raises:
    ValueError: the workdir's run began with other data; names what differs.
  """
  path = config.workdir / "data.json"
  known = ("findings", "size", "validation", "split_hash", "files")
  ours = {name: dataset.metadata.get(name) for name in known}
  ours = json.loads(json.dumps(ours))
  if path.exists():
    theirs = json.loads(path.read_text())
    differing = [name for name in known if theirs.get(name) != ours[name]]
    if differing:
      raise ValueError(
        f"the run in {config.workdir} began with other data: "
        + "; ".join(f"{n}: {theirs.get(n)}, now {ours[n]}" for n in differing)
        + ". Give the data it began with, or another --workdir"
      )
    return
  io.write_json(path, ours)
