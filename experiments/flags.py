"""The command line: a named configuration, any option of it overridden."""

import argparse
import dataclasses
import difflib
import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Any, get_type_hints

import tyro

from experiments.configs import CONFIGS, Config

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


def parse(argv: Sequence[str], *, prog: str) -> Config:
  """Returns the configuration that `--config` names, with its overrides.

  Raises:
    SystemExit: on an unknown option or value; says what is near.
  """
  first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
  first.add_argument("--config", default="phantom")
  name = first.parse_known_args(argv)[0].config
  if name not in CONFIGS:
    near = difflib.get_close_matches(name, CONFIGS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    sys.exit(f"--config must be one of {', '.join(CONFIGS)}, got {name}{hint}")
  config = tyro.cli(
    Config,
    prog=prog,
    args=list(argv),
    default=CONFIGS[name],
    config=(tyro.conf.FlagConversionOff,),
    use_underscores=True,
  )
  validate(config)
  return config


def validate(config: Config) -> None:
  """Checks what can be known before any work.

  Raises:
    SystemExit: names the option and says what would be right.
  """
  faults = []
  if config.stage not in (1, 2, 3):
    faults.append(f"--stage must be 1, 2 or 3, got {config.stage}")
  if config.image_size not in (128, 256, 512, 1024):
    faults.append(
      f"--image_size must be 128, 256, 512 or 1024, got {config.image_size}"
    )
  for name in ("batch_size", "eval_batch_size", "save_every", "log_every"):
    if getattr(config, name) < 1:
      faults.append(f"--{name} must be at least 1, got {getattr(config, name)}")
  if config.coordinator is None:
    for name in ("num_processes", "process_id"):
      if getattr(config, name) is not None:
        faults.append(f"--{name} needs --coordinator=HOST:PORT")
  if config.max_nan < 0:
    faults.append(f"--max_nan must be at least 0, got {config.max_nan}")
  if config.max_steps is not None and config.max_steps < 1:
    faults.append(f"--max_steps must be at least 1, got {config.max_steps}")
  for stage in ("stage1", "stage2", "stage3"):
    if getattr(config, stage).epochs <= 0:
      faults.append(f"--{stage}.epochs must be positive")
  evidence = config.evidence
  if config.detection_loss == "crop" and evidence != type(evidence)():
    faults.append("--evidence.* needs --detection_loss=evidence")
  if evidence.regions < 2:
    faults.append(f"--evidence.regions must be above 1, got {evidence.regions}")
  if evidence.scale <= 0:
    faults.append(f"--evidence.scale must be positive, got {evidence.scale}")
  for name, share in (
    ("evidence.overlap", evidence.overlap),
    ("model.explore", config.model.explore),
  ):
    if not 0 <= share <= 1:
      faults.append(f"--{name} must be in 0..1, got {share}")
  if config.data_dir is None and config.config != "phantom":
    faults.append(
      f"--config={config.config} needs --data_dir=DIR, a folder with "
      "ChestX-ray14's images and lists, or with a labels.csv"
    )
  if config.data_dir is not None and not config.data_dir.is_dir():
    faults.append(f"--data_dir={config.data_dir} is no folder")
  if faults:
    sys.exit("\n".join(faults))


def as_json(config: Config) -> dict:
  """Returns the configuration as plain JSON values."""
  return json.loads(json.dumps(dataclasses.asdict(config), default=str))


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
      sys.exit(
        f"{path} holds another configuration:\n  "
        + "\n  ".join(differing)
        + "\nGive the same options, or another --workdir."
      )
  config.workdir.mkdir(parents=True, exist_ok=True)
  scratch = path.with_suffix(".tmp")
  scratch.write_text(
    json.dumps({"config": ours, "provenance": provenance}, indent=2)
  )
  scratch.replace(path)


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


def expand(path: pathlib.Path) -> pathlib.Path:
  """Returns the path with `~` expanded."""
  return path.expanduser().absolute()
