"""Metrics as JSON lines and as TensorBoard files."""

import json
import multiprocessing
import pathlib
from typing import Any

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
    silent: bool = False,
  ):
    """Open the files.

    Args:
      workdir: of the run.
      stage: written with every row, and the name of TensorBoard's folder.
      start: steps already done. Later rows of this stage are removed, so that
        no step is logged twice: a run that was killed after its last
        checkpoint leaves such rows.
      silent: write nothing, as in all processes of a run but the first.
    """
    self._stage, self._silent = stage, silent
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
        str(workdir / "tensorboard" / f"stage{stage}"), purge_step=start + 1
      )
    else:
      messages.warn(
        "note: no TensorBoard file, which needs a /dev/shm that can be "
        f"written; {self._path} holds the same figures"
      )

  def write(self, step: int, values: dict[str, float | None]) -> None:
    """Write one row.

    Args:
      step: steps done.
      values: metrics by name, None where undefined.
    """
    if self._silent:
      return
    row = {"stage": self._stage, "step": step, **values}
    with self._path.open("a", encoding="utf-8") as file:
      file.write(json.dumps(row, allow_nan=False) + "\n")
    for name, value in values.items():
      if value is not None and self._board is not None:
        self._board.add_scalar(name, value, step)

  def close(self) -> None:
    """Flush and close the TensorBoard file."""
    if not self._silent and self._board is not None:
      self._board.close()


def _has_semaphores() -> bool:
  """Return whether the system gives a semaphore, as TensorBoard's writer needs.

  A container may have no shared memory.
  """
  try:
    multiprocessing.Semaphore()
  except OSError:
    return False
  return True
