"""A damaged newest checkpoint: the stage goes on from the one before it.

That costs the steps between the two and nothing else: they are done again, bit
for bit as they were. A machine that loses its power leaves such a checkpoint.
"""

import pathlib
import re
from collections.abc import Callable
from typing import TypeVar

import jax
import orbax.checkpoint as ocp

from chexjax import messages
from chexjax.weights.variables import DamagedCheckpoint

T = TypeVar("T")


def going_back(work: Callable[[], T], stage: pathlib.Path) -> T:
  """Do the work of a stage, from an earlier checkpoint if need be.

  A damaged checkpoint is moved to `damaged/` in the workdir, not deleted: a
  disk that comes back may bring it back.

  Args:
    work: opens the checkpoints of the stage, restores the newest and trains.
    stage: the folder of its checkpoints, in `checkpoints/` of the workdir.

  Returns:
    What the work returns.

  Raises:
    DamagedCheckpoint: it is not the newest, there is none before it, a later
      stage has begun, or several processes share the run.
  """
  while True:
    try:
      return work()
    except DamagedCheckpoint as error:
      steps = _steps(stage)
      if not _may_go_back(error.folder, stage, steps):
        raise
      aside = _free_name(
        stage.parents[1] / "damaged" / f"{stage.name}-step{steps[-1]}"
      )
      aside.parent.mkdir(exist_ok=True)
      error.folder.rename(aside)
      messages.warn(
        f"warning: the checkpoint in {error.folder} is damaged: "
        f"{error.reason}; it is now {aside}, and {stage.name} goes on from "
        f"step {steps[-2]}"
      )


def _steps(stage: pathlib.Path) -> list[int]:
  return sorted(ocp.utils.checkpoint_steps(stage)) if stage.is_dir() else []


def _may_go_back(
  damaged: pathlib.Path, stage: pathlib.Path, steps: list[int]
) -> bool:
  """Return whether an earlier checkpoint takes the place of a damaged one."""
  newest = len(steps) > 1 and damaged == stage.absolute() / str(steps[-1])
  # Who has trained on from this stage needs the very weights it ended with.
  number = int(re.sub(r"\D", "", stage.name))
  later = stage.with_name(f"stage{number + 1}")
  return newest and not _steps(later) and jax.process_count() == 1


def _free_name(path: pathlib.Path) -> pathlib.Path:
  """Return the path, or it with the first number that is not taken."""
  found, number = path, 1
  while found.exists():
    found, number = path.with_name(f"{path.name}-{number}"), number + 1
  return found
