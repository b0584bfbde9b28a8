"""A model's variables on disk, without optimizer state and input position."""

import contextlib
import logging
import os
import pathlib
import shlex
import shutil
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from flax import traverse_util

from chexjax import io


class OrbaxNoise(logging.Filter):
  """Drops two kinds of Orbax's log records.

  Orbax warns at every save without a metric; between evaluations there is no
  metric. It logs the traceback of every thread that cannot write; who waits for
  the thread raises that error, once. Records of other libraries
  pass.
  """

  def filter(self, record: logging.LogRecord) -> bool:
    """Return whether a record passes."""
    if "orbax" not in record.pathname:
      return True
    return not (record.exc_info or "tracked_metric" in str(record.msg))


def try_checkpoint(folder: pathlib.Path) -> None:
  """Save and read back a small checkpoint, before hours of work.

  Some paths cannot be taken, such as one with `[x]` in it, which Orbax and
  tensorstore read as a pattern.

  Args:
    folder: that is to hold checkpoints; it is made if it is not there.

  Raises:
    OSError: a checkpoint cannot be written here, or not be read back.
  """
  io.check_folder(folder)
  scratch = folder.absolute() / f".try.{os.getpid()}"
  want = jnp.arange(3.0)
  noise = OrbaxNoise()
  logging.getLogger("absl").addFilter(noise)
  try:
    save_variables(scratch, {"x": want})
    with ocp.StandardCheckpointer() as checkpointer:
      found = checkpointer.restore(scratch, {"x": want})["x"]
    if not (found == want).all():
      raise ValueError("what was read is not what was written")
  except Exception as error:  # orbax and tensorstore raise many kinds
    reason = str(error).splitlines()[0].partition(" [tensorstore")[0]
    raise OSError(
      f"checkpoints cannot be kept in {folder}; give another path, without "
      f"brackets and the like: {reason}"
    ) from error
  finally:
    logging.getLogger("absl").removeFilter(noise)
    shutil.rmtree(scratch, ignore_errors=True)


def save_variables(folder: pathlib.Path, variables: Any) -> None:
  """Write `params` and `batch_stats` as an Orbax checkpoint.

  Args:
    folder: must not exist yet.
    variables: nested dicts of arrays.
  """
  with ocp.StandardCheckpointer() as checkpointer:
    checkpointer.save(folder.absolute(), variables)


def restore_variables(folder: pathlib.Path, like: Any) -> Any:
  """Read variables that `save_variables` wrote, or those of a training state.

  Args:
    folder: an Orbax checkpoint; it may hold more leaves than `like`.
    like: variables of the same structure, or their shapes.

  Returns:
    Variables with the structure of `like`, on the first device.

  Raises:
    ValueError: a leaf is missing or of another shape, with a list of all of
      them; or the checkpoint is damaged.
  """
  handler = ocp.PyTreeCheckpointHandler()
  # The handler reads the metadata, not a checkpointer: of a training state
  # they are one folder higher, and a checkpointer would warn.
  with reading(folder):
    stored = handler.metadata(folder.absolute()).tree
  _check(folder, stored, like)
  with reading(folder), ocp.Checkpointer(handler) as checkpointer:
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    target = jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=device), like
    )
    return checkpointer.restore(
      folder.absolute(),
      args=ocp.args.PyTreeRestore(
        target,
        restore_args=ocp.checkpoint_utils.construct_restore_args(target),
        partial_restore=True,
      ),
    )


class DamagedCheckpoint(OSError, ValueError):
  """A checkpoint of which something is cut short or missing.

  It is both: of an input, for who loads weights, and of the disk, for a run
  that wants to go on.

  Attributes:
    folder: of the checkpoint, or of all checkpoints of a stage where it is not
      known which.
    reason: the first line of what Orbax or tensorstore said.
  """

  def __init__(self, folder: pathlib.Path, reason: str):
    """Name a checkpoint and the reason; the message says what helps.

    Args:
      folder: see the attributes.
      reason: see the attributes.
    """
    text = f"the checkpoint in {folder} is damaged: {reason}"
    for path in (folder, folder.parent):
      if path.name.isdigit() and path.parent.name.startswith("stage"):
        command = shlex.join(["rm", "-r", str(path)])
        text += f"; after `{command}` an earlier one is used, if there is one"
    super().__init__(text)
    self.folder, self.reason = folder, reason


@contextlib.contextmanager
def reading(folder: pathlib.Path) -> Iterator[None]:
  """Turn any error of the block into one that names a damaged checkpoint.

  Args:
    folder: of the checkpoint.

  Raises:
    DamagedCheckpoint: something of it is cut short or missing.
  """
  try:
    yield
  except DamagedCheckpoint:
    raise
  except Exception as error:  # Orbax and TensorStore raise many types.
    lines = str(error).splitlines() or [type(error).__name__]
    reason = lines[0].partition(" [tensorstore")[0]
    raise DamagedCheckpoint(folder, reason) from error


def chosen_step(folder: pathlib.Path) -> int | None:
  """Return the step of a stage whose weights are used.

  Nothing in the folder is changed, because a run may be using it.

  Args:
    folder: of `Checkpoints`; it need not exist.

  Raises:
    DamagedCheckpoint: the metrics of a checkpoint.

  Returns:
    The step with the best validation AUC, of equal ones the last, as
    `Checkpoints.best_step`; else the last step; None without a checkpoint.
  """
  if not folder.is_dir():
    return None
  with reading(folder):
    steps = ocp.utils.checkpoint_steps(folder.absolute())
  aucs = {step: _auc(folder / str(step)) for step in steps}
  judged = [step for step, auc in aucs.items() if auc is not None]
  if judged:
    return max(judged, key=lambda step: (aucs[step], step))
  return max(steps, default=None)


def _auc(checkpoint: pathlib.Path) -> float | None:
  """Return the metric that was saved with a checkpoint, if one was."""
  folder = checkpoint / "metrics"
  if not folder.is_dir():
    return None
  with reading(checkpoint):
    return float(io.read_object(folder / "metrics", "auc")["auc"])


def stored_findings(checkpoint: pathlib.Path) -> list[str] | None:
  """Return the names of the findings that a stage's checkpoint holds.

  Args:
    checkpoint: folder of one step, of `Checkpoints`.

  Returns:
    The names, or None where the checkpoint was saved without.
  """
  folder = checkpoint.absolute() / "findings"
  if not folder.is_dir():
    return None
  with reading(checkpoint):
    return ocp.JsonCheckpointHandler().restore(folder)["names"]


def _check(folder: pathlib.Path, stored: Any, like: Any) -> None:
  """Raise a ValueError unless every leaf of `like` is stored in its shape."""
  found = traverse_util.flatten_dict(stored)
  faults = []
  for path, leaf in traverse_util.flatten_dict(like).items():
    name, there = "/".join(path), found.get(path)
    if there is None:
      faults.append(f"missing: {name} {list(leaf.shape)}")
    elif tuple(there.shape) != tuple(leaf.shape):
      faults.append(
        f"shape: {name} is {list(there.shape)}, must be {list(leaf.shape)}"
      )
  if faults:
    lines = "\n  ".join(faults)
    raise ValueError(
      f"{folder} does not fit the model, {len(faults)} faults\n  {lines}"
    )
