"""Metrics as JSON lines and TensorBoard files."""

import json
import pathlib
import sys

from chexjax.io import write_text

# Where torch is installed, tensorboardX loads it, for tensors of torch alone,
# and that takes longer than anything else that a run imports.
_LOADED = "torch" in sys.modules
if not _LOADED:
  sys.modules["torch"] = None  # type: ignore[assignment]  # Not to be found.
try:
  import tensorboardX
finally:
  if not _LOADED:
    del sys.modules["torch"]


class MetricsWriter:
  """Appends a stage's metrics to `metrics.jsonl` and to TensorBoard files.

  Args:
    workdir: of the run.
    stage: written with every row, and the prefix of TensorBoard's tags.
    start: steps already done; later rows of this stage, left by a run that
      was killed after its last checkpoint, are taken out, so that no step is
      logged twice.
    silent: writes nothing, as all but one of a run's processes.
  """

  def __init__(
    self,
    workdir: pathlib.Path,
    *,
    stage: int,
    start: int = 0,
    silent: bool = False,
  ):
    """Opens the files."""
    self._stage, self._silent = stage, silent
    if silent:
      return
    self._path = workdir / "metrics.jsonl"
    kept = []
    if self._path.exists():
      for line in self._path.read_text().splitlines():
        try:
          row = json.loads(line)
        except json.JSONDecodeError:  # the line a kill cut off
          continue
        if row["stage"] < stage or (
          row["stage"] == stage and row["step"] <= start
        ):
          kept.append(line)
    write_text(self._path, "".join(line + "\n" for line in kept))
    self._board = tensorboardX.SummaryWriter(
      str(workdir / "tensorboard" / f"stage{stage}"), purge_step=start + 1
    )

  def write(self, step: int, values: dict[str, float]) -> None:
    """Writes one row; None stands for a value that is undefined."""
    if self._silent:
      return
    row = {"stage": self._stage, "step": step, **values}
    with self._path.open("a") as file:
      file.write(json.dumps(row, allow_nan=False) + "\n")
    for name, value in values.items():
      if value is not None:
        self._board.add_scalar(name, value, step)

  def close(self) -> None:
    """Flushes and closes the TensorBoard file."""
    if not self._silent:
      self._board.close()
