"""What is left of a step whose loss or gradients were not finite."""

import pathlib

import jax
import numpy as np

from chexjax.data.sources import Source
from chexjax.io import replacing
from chexjax.training.checkpoints import Checkpoints


def names(source: Source, index: np.ndarray) -> list[str]:
  """Returns the file names of examples."""
  return [source.annotation(int(i))["file_name"].decode() for i in index]


def keep(
  source: Source,
  workdir: pathlib.Path,
  stage: int,
  checkpoints: Checkpoints,
  step: int,
  index: np.ndarray,
) -> str:
  """Writes a batch to `nan_stage1_step12.npz` in the workdir.

  Arrays: `image` `[B, H, W, 1]` uint8 before augmentation, `labels` `[B, K]`,
  `index` `[B]`, `file_name` `[B]`. The state is that of the last checkpoint;
  from there the same command comes to the same step, since shuffling and
  random streams depend on the step alone.

  Returns:
    Where it is and how to replay the step, as the end of a sentence.
  """
  share = f"_process{jax.process_index()}" if jax.process_count() > 1 else ""
  path = workdir / f"nan_stage{stage}_step{step}{share}.npz"
  examples = [source[int(i)] for i in index]
  with replacing(path) as scratch, scratch.open("wb") as file:
    np.savez_compressed(
      file,
      image=np.stack([example["image"] for example in examples]),
      labels=np.stack([example["labels"] for example in examples]),
      index=index,
      file_name=np.array(names(source, index)),
    )
  return (
    f". Its batch is in {path}, the last checkpoint is of step "
    f"{checkpoints.latest_step() or 0}: the same command replays the steps "
    "between; with --on_nan=skip it goes on without such steps"
  )
