"""The loop of one stage: evaluate, save, next batch, step."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax

from chexjax.progress import Progress
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.health import Health
from chexjax.training.metrics_writer import MetricsWriter
from chexjax.training.state import TrainState

# What a line shows of a validation.
_VALIDATED = ("auc", "crop_auc", "iou_picked")


class Batches(Protocol):
  """An input iterator whose position can be saved, such as grain's."""

  def __next__(self) -> Any:
    """Return the next batch."""

  def get_state(self) -> dict[str, Any]:
    """Return the position, as JSON values."""

  def set_state(self, state: dict[str, Any]) -> None:
    """Move to a position that `get_state` returned."""


def shown(values: dict[str, Any]) -> tuple[str, str]:
  """Return the metrics that a line has room for, the loss first.

  Args:
    values: metrics by name, None where undefined.

  Returns:
    The loss and what a validation has found; and the parts of the loss, the
    norm of the gradient and the steps that were skipped. All others are in
    `metrics.jsonl` and in TensorBoard alone.
  """
  parts = sorted(name for name in values if name.startswith("loss_"))

  def text(names: Sequence[str]) -> str:
    told = {name: values[name] for name in names if name in values}
    return ", ".join(
      f"{name} undefined" if value is None else f"{name} {value:.4g}"
      for name, value in told.items()
    )

  return text(["loss", *_VALIDATED]), text([*parts, "grad_norm", "skipped"])


def train_stage(
  step_fn: Callable[..., tuple[TrainState, dict]],
  state: TrainState,
  batches: Batches,
  *,
  stage: int,
  num_steps: int,
  key: jax.Array,
  evaluate: Callable[[TrainState], dict[str, Any]],
  eval_every: int,
  save_every: int,
  log_every: int,
  checkpoints: Checkpoints,
  writer: MetricsWriter,
  health: Health,
  stop: Callable[[], bool] = lambda: False,
  scheduled: Callable[[int], dict[str, float]] = lambda step: {},
  illustrate: Callable[[int, TrainState], None] = lambda step, state: None,
) -> TrainState:
  """Train from `state.step` to `num_steps`, or until told to stop.

  Args:
    step_fn: of `make_train_step`; donates the state.
    state: restored or fresh.
    batches: input on the devices, at the state's position.
    stage: for messages.
    num_steps: steps of the whole stage.
    key: of the stage's random streams.
    evaluate: returns metrics. The highest `selection` (which may be None)
      chooses the best checkpoint.
    eval_every: steps between evaluations; the last step is always evaluated.
    save_every: steps between checkpoints; every evaluation is saved too.
    log_every: steps between rows of metrics; a row is a mean over its steps.
    checkpoints: where to save.
    writer: where to log.
    health: checks metrics before they are logged and saved.
    scheduled: returns what a schedule gave a step, such as the learning rate;
      it is logged with the metrics.
    illustrate: called after an evaluation has been logged and saved.
    stop: called after every step; once it returns True, that step is saved and
      training ends.

  Returns:
    The state after the last step done.

  Raises:
    FloatingPointError: a step is not finite (see `Health`); neither it nor any
      later step is saved.
    OSError: a checkpoint cannot be written.
  """
  start = int(state.step)
  window: list[tuple[dict, jax.Array]] = []
  with Progress(f"stage {stage}, steps", total=num_steps, done=start) as told:
    for step in range(start + 1, num_steps + 1):
      batch = next(batches)
      state, metrics = step_fn(state, batch, key)
      window.append((metrics, batch.index))
      last = step == num_steps
      evaluating = last or step % eval_every == 0
      stopping = stop()
      saving = evaluating or stopping or step % save_every == 0
      if not (saving or step % log_every == 0):
        continue
      rows, indices = zip(*window)
      means = health.means(step, jax.device_get(rows), indices)
      means |= scheduled(step)
      window = []
      if evaluating:
        means |= evaluate(state)
        health.judge(
          step, means["selection"], num_steps=num_steps, eval_every=eval_every
        )
      writer.write(step, means)
      said, more = shown(means)
      told.add(step - told.done, said=said, more=more, stays=evaluating)
      if saving:
        checkpoints.save(
          step, state, inputs=batches.get_state(), auc=means.get("selection")
        )
      if evaluating:
        illustrate(step, state)
      if stopping:
        break
  return state
