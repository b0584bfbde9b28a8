"""A model's variables on disk, without optimizer and input position."""

import pathlib
from typing import Any

import jax
import orbax.checkpoint as ocp
from flax import traverse_util


def save_variables(folder: pathlib.Path, variables: Any) -> None:
  """Writes `params` and `batch_stats` as an Orbax checkpoint.

  Args:
    folder: that does not exist yet.
    variables: nested dicts of arrays.
  """
  with ocp.StandardCheckpointer() as checkpointer:
    checkpointer.save(folder.absolute(), variables)


def restore_variables(folder: pathlib.Path, like: Any) -> Any:
  """Reads variables of `save_variables`, or out of a stage's saved state.

  Args:
    folder: an Orbax checkpoint; it may hold more than is asked for.
    like: variables, arrays or their shapes.

  Returns:
    Variables as `like`, on the first device.

  Raises:
    ValueError: lists every leaf that is missing, or of another shape.
  """
  handler = ocp.PyTreeCheckpointHandler()
  with ocp.Checkpointer(handler) as checkpointer:
    stored = checkpointer.metadata(folder.absolute()).item_metadata.tree
    _check(folder, stored, like)
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
  """Returns a stage's best evaluated step, else its last; None without any.

  Args:
    folder: of `Checkpoints`; nothing in it is touched, so that a run may be
      going on there.
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


def _check(folder, stored, like):
  """Compare every leaf's place and shape."""
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
