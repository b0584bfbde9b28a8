"""Options of a run under another system than ours, and those it ignores."""

import dataclasses
import operator
from collections.abc import Sequence
from typing import Any

from chexjax.training.config import Config, ModelConfig

OURS = Config.system
# What a system with one stage and without regions does not read.
_OURS_ALONE = (
  "stage2", "stage3", "tau_start", "tau_end", "maps", "detection_loss",
  "evidence", "detection_factor",
)  # fmt: skip


def one_stage(config: Config, system: str) -> Config:
  """Return a recipe for another system: its stage 1, in a workdir beside it."""
  workdir = config.workdir.with_name(f"{config.workdir.name}_{system}")
  return dataclasses.replace(config, system=system, stage=1, workdir=workdir)


def for_system(argv: Sequence[str], system: str) -> list[str]:
  """Return a run's options for another system, without what it does not read.

  Args:
    argv: options of a run of our own model, without `--system`.
    system: name of the system; ours gets all options.
  """
  if system == OURS:
    return list(argv)
  idle, kept, dropping = ("--stage", *_unread(system)), [], False
  for word in argv:
    if word.startswith("--"):
      name = word.partition("=")[0]
      dropping = any(name == x or name.startswith(f"{x}.") for x in idle)
    if not dropping:
      kept.append(word)
  return [*kept, f"--system={system}"]


def _unread(system: str) -> list[str]:
  """Return the options, or groups of them, that a system does not read."""
  from chexjax.systems import SYSTEMS, trains_on_boxes

  widths = {field.name for field in dataclasses.fields(ModelConfig)}
  idle = [f"model.{name}" for name in sorted(widths - SYSTEMS[system].fields)]
  if not trains_on_boxes(system):
    idle += ["box_folds", "box_fold"]
  return [f"--{name}" for name in (*_OURS_ALONE, *idle)]


def idle_options(default: Config, config: Config) -> list[str]:
  """Return the options that were given and that the system does not read."""

  def value(of: Config, option: str) -> Any:
    return operator.attrgetter(option.removeprefix("--"))(of)

  return [
    option
    for option in _unread(config.system)
    if value(config, option) != value(default, option)
  ]
