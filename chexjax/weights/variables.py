"""A model's variables on disk, without optimizer state and input position."""

import pathlib
from typing import Any

import jax
import orbax.checkpoint as ocp
from flax import traverse_util


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
    ValueError: a leaf is missing or of another shape; lists all of them.
  """
  handler = ocp.PyTreeCheckpointHandler()
  # The handler reads the metadata, not a checkpointer: of a training state
  # they are one folder higher, and a checkpointer would warn.
  _check(folder, handler.metadata(folder.absolute()).tree, like)
  with ocp.Checkpointer(handler) as checkpointer:
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


def chosen_step(folder: pathlib.Path) -> int | None:
  """Return the step of a stage's checkpoint that should be used.

  Args:
    folder: written by `Checkpoints`. It is only read, so a run may be writing
      to it.

  Returns:
    The step with the best validation AUC; the last step if none was
    evaluated; None if there is no checkpoint.
  """
  if not folder.is_dir():
    return None
  options = ocp.CheckpointManagerOptions(
    read_only=True,
    create=False,
    save_interval_steps=0,
    best_fn=lambda metrics: metrics["auc"],
  )
  with ocp.CheckpointManager(folder.absolute(), options=options) as manager:
    best = manager.best_step()
    return manager.latest_step() if best is None else best


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
