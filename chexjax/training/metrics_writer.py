"""Metrics as JSON lines and as TensorBoard files."""

import json
import multiprocessing
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.io import write_text


class MetricsWriter:
  """Appends a stage's metrics to `metrics.jsonl` and to TensorBoard files."""

  def __init__(
    self,
    workdir: pathlib.Path,
    *,
    stage: int,
    start: int = 0,
    before: int = 0,
    about: str | None = None,
    silent: bool = False,
  ):
    """Open the files.

    Args:
      workdir: of the run.
      stage: written with every row.
      start: steps already done. Later rows of this stage are removed, so that
        no step is logged twice: a run that was killed after its last
        checkpoint leaves such rows.
      before: steps of the stages before, from which TensorBoard's step goes on:
        all stages share one axis.
      about: text about the run, shown by TensorBoard; Markdown.
      silent: write nothing, as in all processes of a run but the first.
    """
    self._stage, self._before, self._silent = stage, before, silent
    if silent:
      return
    # Not at the top: it imports torch where installed, which takes seconds.
    import tensorboardX

    self._path = workdir / "metrics.jsonl"
    kept = []
    if self._path.exists():
      text = self._path.read_text(encoding="utf-8", errors="replace")
      for line in text.splitlines():
        try:
          row = json.loads(line)
          at = (row["stage"], row["step"])
          if at[0] < stage or (at[0] == stage and at[1] <= start):
            kept.append(line)
        except (ValueError, LookupError, TypeError):
          continue  # A killed run leaves half a line.
    write_text(self._path, "".join(line + "\n" for line in kept))
    self._board: Any = None
    if _has_semaphores():
      self._board = tensorboardX.SummaryWriter(
        str(workdir / "tensorboard"),
        purge_step=before + start + 1,
        # Stages and processes may begin in the same second.
        filename_suffix=f".{os.getpid()}.{before + start}",
      )
      if about is not None:
        self._board.add_text("config", about, before + start)
    else:
      messages.warn(
        "note: no TensorBoard file, which needs a /dev/shm that can be "
        f"written; {self._path} holds the same figures"
      )

  def write(self, step: int, values: Mapping[str, Any]) -> None:
    """Write one row.

    Args:
      step: steps done.
      values: metrics by name, None where undefined; or by name the figures of
        each finding.
    """
    if self._silent:
      return
    row = {"stage": self._stage, "step": step, **values}
    with self._path.open("a", encoding="utf-8") as file:
      file.write(json.dumps(row, allow_nan=False) + "\n")
    if self._board is None:
      return
    for name, value in values.items():
      for tag, figure in _tagged(name, value).items():
        if figure is not None:
          self._board.add_scalar(tag, figure, self._before + step)

  def image(self, step: int, name: str, picture: np.ndarray) -> None:
    """Write a picture to TensorBoard, if there are its files.

    Args:
      step: steps done.
      name: of the picture.
      picture: `[H, W, 3]` uint8.
    """
    if not self._silent and self._board is not None:
      self._board.add_image(
        name, picture, self._before + step, dataformats="HWC"
      )

  def close(self) -> None:
    """Flush and close the TensorBoard file."""
    if not self._silent and self._board is not None:
      self._board.close()


def _tagged(name: str, value: Any) -> dict[str, float | None]:
  """Return TensorBoard's tags of a metric; those of findings are grouped."""
  if isinstance(value, Mapping):
    return {f"{name}/{finding}": figure for finding, figure in value.items()}
  return {name: value}


def _has_semaphores() -> bool:
  """Return whether the system gives a semaphore, as TensorBoard's writer needs.

  A container may have no shared memory.
  """
  try:
    multiprocessing.Semaphore()
  except OSError:
    return False
  return True
