"""The loop of one stage: evaluate, save, next batch, step."""

import time
from collections.abc import Callable
from typing import Any, Protocol

import jax

from chexjax import messages
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.health import Health
from chexjax.training.metrics_writer import MetricsWriter
from chexjax.training.state import TrainState


class Batches(Protocol):
  """An input iterator whose position can be saved, such as grain's."""

  def __next__(self) -> Any:
    """Return the next batch."""

  def get_state(self) -> dict[str, Any]:
    """Return the position, as JSON values."""

  def set_state(self, state: dict[str, Any]) -> None:
    """Move to a position that `get_state` returned."""


class Progress:
  """Reports a stage's steps, metrics and the time that is left."""

  def __init__(self, stage: int, start: int, num_steps: int):
    """Start the clock.

    Args:
      stage: for messages.
      start: steps already done.
      num_steps: steps of the whole stage.
    """
    self._stage, self._start, self._total = stage, start, num_steps
    # Compilation dominates the time up to the first report: measure from there.
    self._warm: tuple[int, float] | None = None

  def report(self, step: int, values: dict[str, Any]) -> None:
    """Tell the user one line about a step.

    Args:
      step: steps done.
      values: metrics by name, None where undefined.
    """
    now = time.monotonic()
    eta = ""
    if self._warm and step > self._warm[0]:
      seconds = (now - self._warm[1]) / (step - self._warm[0])
      left = round(seconds * (self._total - step))
      eta = f", {seconds:.2f} s/step, {left // 60}:{left % 60:02} left"
    elif step > self._start:
      self._warm = (step, now)
    shown = ", ".join(
      f"{k} {v:.4g}" if v is not None else f"{k} undefined"
      for k, v in values.items()
    )
    messages.tell(
      f"stage {self._stage} step {step}/{self._total}: {shown}{eta}",
    )


def train_stage(
  step_fn: Callable[..., tuple[TrainState, dict]],
  state: TrainState,
  batches: Batches,
  *,
  stage: int,
  num_steps: int,
  key: jax.Array,
  evaluate: Callable[[TrainState], dict[str, float | None]],
  eval_every: int,
  save_every: int,
  log_every: int,
  checkpoints: Checkpoints,
  writer: MetricsWriter,
  health: Health,
  stop: Callable[[], bool] = lambda: False,
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
  progress = Progress(stage, start, num_steps)
  window: list[tuple[dict, jax.Array]] = []
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
    window = []
    if evaluating:
      means |= evaluate(state)
      health.judge(
        step, means["selection"], num_steps=num_steps, eval_every=eval_every
      )
    writer.write(step, means)
    progress.report(step, means)
    if saving:
      checkpoints.save(
        step, state, inputs=batches.get_state(), auc=means.get("selection")
      )
    if stopping:
      break
  return state
