"""What is stored of a step whose loss or gradients are not finite."""

import pathlib

import jax
import numpy as np

from chexjax.data.sources import Source
from chexjax.io import replacing
from chexjax.training.checkpoints import Checkpoints


def names(source: Source, index: np.ndarray) -> list[str]:
  """Return the file names of examples.

  Args:
    source: of the examples.
    index: `[B]` positions in the source.
  """
  return [source.annotation(int(i))["file_name"].decode() for i in index]


def keep(
  source: Source,
  workdir: pathlib.Path,
  stage: int,
  checkpoints: Checkpoints,
  step: int,
  index: np.ndarray,
) -> str:
  """Write a batch to a file such as `nan_stage1_step12.npz`.

  The arrays are `image` `[B, H, W, 1]` uint8 before augmentation, `labels`
  `[B, K]`, `index` `[B]` and `file_name` `[B]`. No state is written: from the
  last checkpoint the same command reaches the same step, because shuffling and
  random streams depend on the step only.

  Args:
    source: of the examples.
    workdir: where to write.
    stage: of the step.
    checkpoints: of the stage.
    step: that is not finite.
    index: `[B]`, examples of its batch.

  Returns:
    Where the file is and how to replay the step, as the end of a sentence.
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
