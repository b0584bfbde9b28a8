"""Orbax checkpoints of a stage: the last one and the best one."""

import contextlib
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import orbax.checkpoint as ocp

_managers = ocp.checkpoint_managers

# Orbax warns at each save without a metric; between evaluations there is none.
# It logs the traceback of each thread that cannot write; we raise it, once.
logging.getLogger("absl").addFilter(
  lambda record: "tracked_metric" not in str(record.msg) and not record.exc_info
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
      step: of a checkpoint.
      like: a state of the same structure, shapes and shardings.
    """
    abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
    restored = self._manager.restore(
      step,
      args=ocp.args.Composite(
        state=ocp.args.StandardRestore(abstract),
        inputs=ocp.args.JsonRestore(),
      ),
    )
    return restored["state"], restored["inputs"]

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
