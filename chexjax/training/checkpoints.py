"""Orbax checkpoints of a stage: the last one and the best one."""

import contextlib
import logging
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp

_managers = ocp.checkpoint_managers

# Orbax warns at each save without a metric; between evaluations there is none.
# It looks for a step's metadata in the item's folder too; they are beside it.
# It logs the traceback of each thread that cannot write; we raise it, once.
_NOISE = re.compile("tracked_metric|Metadata file does not exist")
logging.getLogger("absl").addFilter(
  lambda record: not (_NOISE.search(str(record.msg)) or record.exc_info)
)


class Checkpoints:
  """Saves and restores a stage's state together with its input position.

  Saving is asynchronous and atomic: a checkpoint is there whole or not. A
  write that fails (a full disk, say) is an `OSError` of the next call, or of
  `close`; the checkpoints before it stand.

  Args:
    folder: of this stage; made when the first checkpoint is saved.
  """

  def __init__(self, folder: pathlib.Path):
    """Opens `folder`."""
    self.folder = folder.absolute()
    self._manager = ocp.CheckpointManager(
      self.folder,
      options=ocp.CheckpointManagerOptions(
        best_fn=lambda metrics: metrics["auc"],
        preservation_policy=_managers.AnyPreservationPolicy(
          [
            _managers.LatestN(1),
            _managers.BestN(
              get_metric_fn=lambda metrics: metrics["auc"],
              n=1,
              keep_checkpoints_without_metrics=False,
            ),
          ]
        ),
      ),
    )

  def latest_step(self) -> int | None:
    """Returns the step of the last whole checkpoint, None without one."""
    return self._manager.latest_step()

  def best_step(self) -> int | None:
    """Returns the step of the best evaluated checkpoint, None without one."""
    return self._manager.best_step()

  def best_auc(self) -> float | None:
    """Returns the validation AUC of the best checkpoint."""
    with self._writing():
      self._manager.wait_until_finished()  # a metric is read from its file
    step = self.best_step()
    return None if step is None else self._manager.metrics(step)["auc"]

  def save(
    self, step: int, state: Any, *, inputs: dict, auc: float | None
  ) -> None:
    """Saves `state` after `step` steps.

    Args:
      step: steps done.
      state: a pytree of arrays.
      inputs: position of the input iterator, a tree that JSON can hold.
      auc: validation AUC, None if this step was not evaluated.
    """
    with self._writing():
      self._manager.save(
        step,
        args=ocp.args.Composite(
          state=ocp.args.StandardSave(state), inputs=ocp.args.JsonSave(inputs)
        ),
        metrics=None if auc is None else {"auc": float(auc)},
        force=True,
      )

  def restore(self, step: int, like: Any) -> tuple[Any, dict]:
    """Returns the state and input position saved after `step` steps.

    Args:
      step: of a checkpoint. One of version 0.1.0 holds a tree where `like`
        has the vector of its leaves; they are joined.
      like: a state of the same structure, shapes and shardings.
    """
    with ocp.StandardCheckpointer() as checkpointer:
      folder = self.folder / str(step) / "state"
      stored = checkpointer.metadata(folder).item_metadata.tree
    abstract = jax.tree_util.tree_map_with_path(
      lambda path, leaf: _as_stored(path, leaf, stored), like
    )
    restored = self._manager.restore(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardRestore(abstract),
        inputs=ocp.args.JsonRestore(),
      ),
    )
    state = jax.tree.map(_as_vector, like, restored["state"])
    return state, restored["inputs"]

  def close(self) -> None:
    """Waits for saves under way."""
    with self._writing():
      self._manager.wait_until_finished()
      self._manager.close()

  @contextlib.contextmanager
  def _writing(self) -> Iterator[None]:
    try:
      yield
    except Exception as error:  # orbax and tensorstore raise many kinds
      reason = str(error).splitlines()[0]
      raise OSError(f"cannot save in {self.folder}: {reason}") from error


def _as_stored(path, leaf, stored):
  """Returns the shape of a leaf, or of the tree that is stored in its place."""
  for entry in path:
    # Attributes, keys and places of a tree are told apart by their classes.
    (name,) = (
      getattr(entry, kind)
      for kind in ("name", "key", "idx")
      if hasattr(entry, kind)
    )
    stored = stored[name]
  if not isinstance(stored, dict):
    return ocp.utils.to_shape_dtype_struct(leaf)
  return jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=leaf.sharding),
    stored,
  )


def _as_vector(leaf, restored):
  """Joins the leaves of a tree that stands for one leaf."""
  if isinstance(restored, jax.Array):
    return restored
  parts = [jnp.ravel(part) for part in jax.tree.leaves(restored)]
  return jax.device_put(jnp.concatenate(parts), leaf.sharding)
