"""The command line: a named configuration, any option of it overridden."""

import difflib
import sys
from collections.abc import Sequence

from chexjax.commands import options
from chexjax.training.config import Config
from experiments.configs import CONFIGS


def parse(argv: Sequence[str]) -> Config:
  """Return the configuration that `--config` names, with its overrides.

  Raises:
    SystemExit: on an unknown option or value; says what is near.
  """
  name = _named(argv)
  if name not in CONFIGS:
    near = difflib.get_close_matches(name, CONFIGS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    sys.exit(f"--config must be one of {', '.join(CONFIGS)}, got {name}{hint}")
  config = options.parse(
    Config, argv, prog="run", default=CONFIGS[name], switches=False
  )
  validate(config)
  return config


def _named(argv: Sequence[str]) -> str:
  """Return the value of `--config`, whose defaults the others are read by."""
  name = "phantom"
  for place, word in enumerate(argv):
    if word.startswith("--config="):
      name = word.partition("=")[2]
    elif word == "--config" and place + 1 < len(argv):
      name = argv[place + 1]
  return name


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
