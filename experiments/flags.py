"""The command line: a named configuration, any option of it overridden."""

import dataclasses
import difflib
import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

from chexjax.commands import options
from chexjax.io import expand_home
from chexjax.runtime.cache_home import DEFAULT
from chexjax.training.config import AugmentConfig, Config
from experiments.configs import CONFIGS, own
from experiments.system_options import OURS, idle_options, one_stage
from experiments.unread import unread

LABELS = "labels.csv"  # of a set of one's own
_HELP = """Train up to --stage, then score the test films and write a report.

python -m experiments.run --stage=3
python -m experiments.run --data_dir=DIR

Without --data_dir films are drawn. A run that was stopped goes on with the same
command; docs/console.md says what it prints and writes.
"""


def parse(argv: Sequence[str]) -> Config:
  """Return the configuration that `--config` names, with its overrides.

  Without `--config`, a folder with a labels.csv is a set of one's own.

  Raises:
    SystemExit: on an unknown option or value; says what is near.
  """
  folder = _value(argv, "data_dir")
  own_folder = folder is not None and (_found(folder) / LABELS).is_file()
  name = _value(argv, "config") or ("own" if own_folder else "phantom")
  if name not in CONFIGS:
    refuse([not_among("config", name, CONFIGS)])
  default = CONFIGS[name]
  if name == "own":
    default = own.with_weights(_value(argv, "init"))
    if folder is not None:
      workdir = pathlib.Path("runs") / _found(folder).name
      default = dataclasses.replace(default, workdir=workdir)
  system = _value(argv, "system") or OURS
  if system != OURS:
    # Here, since it loads JAX.
    from chexjax.systems import NAMES

    if system not in NAMES:
      refuse([not_among("system", system, NAMES)])
    default = one_stage(default, system)
  config = options.parse(
    Config,
    argv,
    prog="run",
    description=_HELP,
    default=default,
    switches=False,
  )
  validate(config, default)
  if system != OURS and (idle := idle_options(default, config)):
    refuse([f"{option} is not read by --system={system}" for option in idle])
  # The workdir keeps them, and is opened from other folders too.
  return dataclasses.replace(
    config,
    data_dir=config.data_dir and config.data_dir.absolute(),
    init_dir=config.init_dir and config.init_dir.absolute(),
    more_data=tuple(path.absolute() for path in config.more_data),
    cache_dir=(
      config.cache_dir
      if config.cache_dir == DEFAULT
      else config.cache_dir.absolute()
    ),
  )


def _found(folder: str) -> pathlib.Path:
  """Return the folder that an option names."""
  try:
    return expand_home(pathlib.Path(folder)).absolute()
  except ValueError as error:
    refuse([f"--data_dir={error}"])


def not_among(option: str, value: str, known: Iterable[str]) -> str:
  """Say that an option's value is none of those known, and what is near."""
  near = difflib.get_close_matches(value, known, n=1)
  hint = f"; did you mean {near[0]}?" if near else ""
  return f"--{option} must be one of {', '.join(known)}, got {value}{hint}"


def _value(argv: Sequence[str], name: str) -> str | None:
  """Return the value of an option that the defaults of others depend on."""
  value = None
  for place, word in enumerate(argv):
    if word.startswith(f"--{name}="):
      value = word.partition("=")[2]
    elif word == f"--{name}" and place + 1 < len(argv):
      value = argv[place + 1]
  return value


def validate(config: Config, default: Config) -> None:
  """Checks what can be known before any work.

  Args:
    config: of the run.
    default: the named configuration, before any override.

  Raises:
    SystemExit: names the option and says what would be right.
  """
  faults = []
  if config.stage not in (1, 2, 3):
    faults.append(f"--stage must be 1, 2 or 3, got {config.stage}")
  elif config.stage > 1 and config.system != OURS:
    faults.append(
      f"--stage={config.stage}: {config.system} is trained in stage 1 alone"
    )
  if config.image_size not in (64, 128, 256, 512, 1024):
    faults.append(
      f"--image_size must be 64, 128, 256, 512 or 1024, got {config.image_size}"
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
  if not 0 < config.train_share <= 1:
    faults.append(
      f"--train_share must be above 0, at most 1, got {config.train_share}"
    )
  if config.finding_factor <= 0:
    faults.append(
      f"--finding_factor must be above 0, got {config.finding_factor}"
    )
  if config.box_folds < 2:
    faults.append(f"--box_folds must be at least 2, got {config.box_folds}")
  elif not 1 <= config.box_fold <= config.box_folds:
    faults.append(
      f"--box_fold must be in 1..{config.box_folds}, got {config.box_fold}"
    )
  if config.min_steps < 0:
    faults.append(f"--min_steps must be at least 0, got {config.min_steps}")
  if config.max_steps is not None and config.max_steps < 1:
    faults.append(f"--max_steps must be at least 1, got {config.max_steps}")
  for stage in ("stage1", "stage2", "stage3"):
    if getattr(config, stage).epochs <= 0:
      faults.append(f"--{stage}.epochs must be positive")
    if not 0 <= getattr(config, stage).average < 1:
      faults.append(
        f"--{stage}.average must be 0 or below 1, such as 0.998, got "
        f"{getattr(config, stage).average}"
      )
  faults += _augment_faults(config.augment)
  faults += [f"--read.{fault}" for fault in config.read.faults()]
  evidence = config.evidence
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
  elif config.data_dir is not None and not _has_tables(config.data_dir):
    faults.append(
      f"--data_dir={config.data_dir} holds neither a {LABELS} (a set of your "
      "own: docs/own_data.md) nor ChestX-ray14's lists (Data_Entry_2017.csv, "
      "test_list.txt, ...)"
    )
  folders = [config.data_dir, *config.more_data]
  own_set = any(path and (path / LABELS).is_file() for path in folders)
  faults += unread(config, default, own_set=own_set)
  if faults:
    refuse(faults)


def _augment_faults(augment: AugmentConfig) -> list[str]:
  faults = [
    f"--augment.{field.name} must be at least 0, got {value}"
    for field in dataclasses.fields(augment)
    if (value := getattr(augment, field.name)) < 0
  ]
  if augment.cut_out > 1:
    faults.append(f"--augment.cut_out must be at most 1, got {augment.cut_out}")
  return faults


def _has_tables(folder: pathlib.Path) -> bool:
  """Return whether a folder may be a data set."""
  if (folder / LABELS).is_file():
    return True
  # Near misses of names are told by whoever reads the folder.
  return any(folder.glob("*.csv*")) or any(folder.glob("*/Data_Entry*"))


def refuse(faults: Sequence[str]) -> NoReturn:
  """End the program with status 2, as for any option at fault."""
  for fault in faults:
    print(f"error: {fault}", file=sys.stderr)
  raise SystemExit(2)
