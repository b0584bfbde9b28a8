"""Options of a run that nothing reads beside the others that are given."""

import dataclasses
import pathlib
from typing import Any

from chexjax.training.config import Config, EvidenceOptions
from experiments.system_options import OURS


def unread(config: Config, default: Config, *, own_set: bool) -> list[str]:
  """Return a fault for every option that was changed and changes nothing.

  An option of a later stage is none of them: the workdir keeps it, and
  `--stage=3` goes on with it.

  Args:
    config: of the run.
    default: the named configuration, before any override.
    own_set: whether a folder of the run has a labels.csv.

  Returns:
    Sentences that say what the option needs.
  """
  changed = _leaves(config).items() - _leaves(default).items()
  names = {name for name, _ in changed}
  rules = [
    (
      config.data_dir is not None,
      ("phantom_images", "phantom_seed"),
      "the phantom, which --data_dir takes the place of",
    ),
    (
      config.data_dir is None,
      ("more_data",),
      "--data_dir, which its folders are joined to",
    ),
    (
      config.system == OURS,
      ("box_folds", "box_fold"),
      "a system that is trained on boxes, --system=li2018_like_boxes",
    ),
    (not own_set, ("uncertain",), "a set with a labels.csv"),
    (config.on_nan == "stop", ("max_nan",), "--on_nan=skip"),
    (
      config.detection_loss == "evidence",
      ("tau_start", "tau_end"),
      "--detection_loss=crop",
    ),
    (
      config.detection_loss == "crop",
      tuple(f"evidence.{f.name}" for f in dataclasses.fields(EvidenceOptions)),
      "--detection_loss=evidence",
    ),
    (
      config.model.pooling == "lse_lba",
      ("model.lse_r",),
      "--model.pooling=lse",
    ),
    (
      config.max_steps is not None,
      ("stage1.epochs", "stage2.epochs", "stage3.epochs"),
      "no --max_steps, which takes their place",
    ),
  ]
  return [
    f"--{name} needs {needed}"
    for applies, options, needed in rules
    if applies
    for name in options
    if name in names
  ]


def _leaves(config: Any, prefix: str = "") -> dict[str, Any]:
  """Return the values of a dataclass, those of nested ones by dotted name."""
  found: dict[str, Any] = {}
  for field in dataclasses.fields(config):
    value = getattr(config, field.name)
    name = f"{prefix}{field.name}"
    if dataclasses.is_dataclass(value):
      found |= _leaves(value, f"{name}.")
    else:
      found[name] = value if not isinstance(value, pathlib.Path) else str(value)
  return found
