"""Orbax checkpoints of a stage: the last one and the best one."""

import contextlib
import logging
import math
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from flax import traverse_util

from chexjax.weights.variables import OrbaxNoise, chosen_step, reading

_managers = ocp.checkpoint_managers


class Checkpoints:
  """Saves and restores a stage's state together with its input position.

  Saving is asynchronous and atomic: a checkpoint is complete or absent. If a
  write fails, for example on a full disk, the next call (or `close`) raises an
  `OSError`. Earlier checkpoints remain.

  Attributes:
    folder: of this stage, as an absolute path.
  """

  def __init__(self, folder: pathlib.Path, *, findings: Sequence[str] = ()):
    """Open a folder.

    Args:
      folder: of this stage; it need not exist.
      findings: names of the K findings, saved with every state, so that nobody
        has to guess what its heads are of.
    """
    self.folder, self._findings = folder.absolute(), list(findings)
    self._noise = OrbaxNoise()
    logging.getLogger("absl").addFilter(self._noise)
    # A metric that is cut short would make another checkpoint the best one.
    chosen_step(self.folder)
    with reading(self.folder):
      self._manager = self._open()
    # What was here before is read as a whole when the run goes on from it.
    self._opened = self._manager.latest_step()

  def _open(self) -> ocp.CheckpointManager:
    return ocp.CheckpointManager(
      self.folder,
      options=ocp.CheckpointManagerOptions(
        best_fn=lambda metrics: metrics["auc"],
        preservation_policy=_managers.AnyPreservationPolicy(
          [
            # Two, so that the newest has been opened before an older one goes.
            _managers.LatestN(2),
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
    """Return the step of the last complete checkpoint, None without one."""
    return self._manager.latest_step()

  def best_step(self) -> int | None:
    """Return the step with the best validation AUC, None without any."""
    return self._manager.best_step()

  def best_auc(self) -> float | None:
    """Return the best validation AUC, None without any."""
    with self._writing():
      # Orbax reads a metric from its file, which is written asynchronously.
      self._manager.wait_until_finished()
    step = self.best_step()
    return None if step is None else self._manager.metrics(step)["auc"]

  def save(
    self, step: int, state: Any, *, inputs: dict[str, Any], auc: float | None
  ) -> None:
    """Save the state after a step; return before it is written.

    Args:
      step: steps done.
      state: tree of arrays.
      inputs: position of the input iterator, as JSON values.
      auc: validation AUC in 0..1, None if this step was not evaluated.

    Raises:
      OSError: this or an earlier checkpoint cannot be written.
    """
    items = {
      "state": ocp.args.StandardSave(state),
      "inputs": ocp.args.JsonSave(inputs),
    }
    if self._findings:
      items["findings"] = ocp.args.JsonSave({"names": self._findings})
    with self._writing():
      self._open_newest()
      self._manager.save(
        step,
        args=ocp.args.Composite(**items),
        metrics=None if auc is None else {"auc": float(auc)},
        force=True,
      )

  def restore(self, step: int, like: Any) -> tuple[Any, dict[str, Any]]:
    """Return the state and the input position saved after a step.

    Args:
      step: of a checkpoint. Checkpoints of version 0.1.0 hold a tree where
        `like` has one vector; the leaves of the tree are concatenated.
      like: a state with the same structure, shapes and shardings.

    Returns:
      The state and the position.
    """
    # The handler reads the metadata, not a checkpointer: those of the step are
    # one folder higher, and a checkpointer would warn.
    handler = ocp.StandardCheckpointHandler()
    with reading(self.folder / str(step)):
      stored = handler.metadata(self.folder / str(step) / "state").tree
    abstract = jax.tree_util.tree_map_with_path(
      lambda path, leaf: _as_stored(path, leaf, stored), like
    )
    with reading(self.folder / str(step)):
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
    """Wait until all saves are written.

    Raises:
      OSError: a checkpoint cannot be written.
    """
    try:
      with self._writing():
        self._open_newest()
        self._manager.close()
    finally:
      logging.getLogger("absl").removeFilter(self._noise)

  def _open_newest(self) -> None:
    """Wait for the last save, and read something of it back, once.

    Several processes do not: reading is a work of all of them.
    """
    self._manager.wait_until_finished()
    step = self.latest_step()
    if step in (None, self._opened) or jax.process_count() > 1:
      return
    path = self.folder / str(step) / "state"
    handler = ocp.PyTreeCheckpointHandler()
    flat = traverse_util.flatten_dict(handler.metadata(path).tree)
    leaves = {name: x for name, x in flat.items() if hasattr(x, "shape")}
    name = min(leaves, key=lambda name: math.prod(leaves[name].shape))
    # Every array goes through the same index, so that one stands for all.
    some = jax.ShapeDtypeStruct(leaves[name].shape, leaves[name].dtype)
    like = traverse_util.unflatten_dict({name: some})
    with ocp.Checkpointer(handler) as checkpointer:
      checkpointer.restore(
        path,
        args=ocp.args.PyTreeRestore(
          like,
          restore_args=ocp.checkpoint_utils.construct_restore_args(like),
          partial_restore=True,
        ),
      )
    self._opened = step

  @contextlib.contextmanager
  def _writing(self) -> Iterator[None]:
    """Turn any error inside the block into an OSError that names the folder."""
    try:
      yield
    except Exception as error:  # Orbax and TensorStore raise many types.
      reason = str(error).splitlines()[0].partition(" [tensorstore")[0]
      raise OSError(f"cannot save in {self.folder}: {reason}") from error


def _as_stored(path: tuple[Any, ...], leaf: Any, stored: Any) -> Any:
  """Return the shape of a leaf, or of the tree that is stored in its place."""
  for entry in path:
    # JAX has one class each for attributes, keys and indices of a tree.
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


def _as_vector(leaf: Any, restored: Any) -> jax.Array:
  """Return a restored leaf; concatenate the leaves of a tree in its place."""
  if isinstance(restored, jax.Array):
    return restored
  parts = [jnp.ravel(part) for part in jax.tree.leaves(restored)]
  return jax.device_put(jnp.concatenate(parts), leaf.sharding)
