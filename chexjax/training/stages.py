"""The stages of a run, trained one after another; the last one is scored."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import jax
import optax

from chexjax import messages
from chexjax.data.pipeline import train_batches
from chexjax.data.prefetch import Prefetch
from chexjax.data.sources import Dataset, label_matrix
from chexjax.inference.scoring import score_model
from chexjax.progress import Progress
from chexjax.report.own_report import try_report
from chexjax.runtime import processes
from chexjax.runtime.sharding import fitting, make_mesh, replicated, shard_batch
from chexjax.systems import Model
from chexjax.training import initial_weights, not_finite, recovery, setup
from chexjax.training.announcement import announce
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.config import Config, as_json, as_markdown
from chexjax.training.example_maps import illustrator
from chexjax.training.health import Health
from chexjax.training.loop import train_stage
from chexjax.training.metrics_writer import MetricsWriter
from chexjax.training.schedules import scheduled
from chexjax.training.stage_step import stage_step
from chexjax.training.state import TrainState, create_state
from chexjax.training.stopping import Stopped, Stopping
from chexjax.training.validation import Figures, known_boxes, make_validation

# The inputs of a stage's validation AUC.
JUDGED = {1: "films", 2: "crops", 3: "mean of films and crops"}


class Run:
  """One configuration on one dataset, in one workdir.

  Attributes:
    config: of the run.
    dataset: its splits.
    start: weights that it starts from.
    stopping: whether the program was asked to stop.
    names: of the K findings.
    mesh: over the devices of all processes.
    model: to be trained.
    stages: numbers of the stages to train.
    train_size, steps: training images; stage -> number of steps.
    validation_boxes: see `known_boxes`.
    has_report: whether the results have a report.
  """

  def __init__(
    self,
    config: Config,
    dataset: Dataset,
    start: initial_weights.Start,
    stopping: Stopping | None = None,
  ):
    """Prepare what all stages share, and announce the run or its scoring.

    Args:
      config: of the run.
      dataset: with the splits `train` and `test`.
      start: weights to start from.
      stopping: asked after every step; by default no signal is handled.
    """
    self.config, self.dataset, self.start = config, dataset, start
    self.stopping = stopping or Stopping()
    self.names = list(dataset.metadata["findings"])
    self.mesh = make_mesh()
    self.model: Model = setup.make_model(config, len(self.names))
    self.stages = range(1, config.stage + 1)
    self.train_size = len(dataset.splits["train"])
    self.validation_boxes = known_boxes(config, dataset)
    self.steps = setup.stage_steps(config, self.train_size)
    self.has_report = False
    announce(
      config,
      self.model,
      dataset,
      steps=self.steps,
      boxes_known=self.validation_boxes is not None,
      weights=start.text,
      scoring=start is initial_weights.FINISHED,
    )

  def all_stages(self) -> None:
    """Train the stages that are not finished, then score the test split.

    Raises:
      Stopped: by a signal; the last step is saved.
      FloatingPointError: a step is not finite; see `Health`.
      OSError: a checkpoint cannot be written.
    """
    with Progress("drawing the first weights"):
      fresh = setup.init_variables(self.config, self.model)
    variables: Any = jax.device_put(
      self.start.put_into(fresh, self.model, self.names),
      replicated(self.mesh),
    )
    weights = setup.class_weights(
      self.config, label_matrix(self.dataset.splits["train"])
    )
    for stage in self.stages:
      variables = recovery.going_back(
        functools.partial(self._stage, stage, variables, weights),
        self.config.workdir / "checkpoints" / f"stage{stage}",
      )
    self.score(variables)

  def finished_variables(self) -> Any:
    """Return the best variables of the last stage, without training.

    Raises:
      ValueError: the last stage is not finished; says how to finish it.
    """
    stage, last = self.config.stage, self.steps[self.config.stage]
    path = self.config.workdir / "checkpoints" / f"stage{stage}"
    latest = Checkpoints(path).latest_step() if path.is_dir() else None
    if latest != last:
      raise ValueError(
        f"stage {stage} in {self.config.workdir} is at step {latest or 0} of "
        f"{last}; finish it with the command in config.json, then evaluate"
      )
    fresh = setup.init_variables(self.config, self.model)
    return self._stage(stage, jax.device_put(fresh, replicated(self.mesh)), ())

  def _stage(self, stage: int, variables: Any, weights: Any) -> dict[str, Any]:
    """Train or continue one stage; return its best variables."""
    config, steps = self.config, self.steps[stage]
    tx = setup.make_tx(config, stage, steps, self.train_size)
    average = getattr(config, f"stage{stage}").average
    state = create_state(variables, tx, stage=stage, average=average > 0)
    state = jax.device_put(state, replicated(self.mesh))
    folder = config.workdir / "checkpoints" / f"stage{stage}"
    # Closing waits for unfinished saves, also when the stage ends by an error.
    with contextlib.closing(
      Checkpoints(folder, findings=self.names)
    ) as checkpoints:
      latest = checkpoints.latest_step()
      if latest == steps:
        state, _ = checkpoints.restore(latest, state)
        messages.tell(f"stage {stage} is finished at step {latest}")
      else:
        state = self._train(stage, state, tx, weights, checkpoints)
      best, auc = checkpoints.best_step(), checkpoints.best_auc()
      if best is not None and best != steps:
        state, _ = checkpoints.restore(best, state)
    messages.tell(
      f"stage {stage}: the last step is kept, validation AUC undefined"
      if auc is None
      else f"stage {stage}: best validation AUC {auc:.3f} ({JUDGED[stage]}), "
      f"at step {best}"
    )
    return {"params": state.params, "batch_stats": state.batch_stats}

  def _train(
    self,
    stage: int,
    state: TrainState,
    tx: optax.GradientTransformation,
    weights: Any,
    checkpoints: Checkpoints,
  ) -> TrainState:
    """Train a stage from its last checkpoint to its end.

    Raises:
      Stopped: by a signal; the last step is saved.
    """
    config, steps = self.config, self.steps[stage]
    train = self.dataset.splits["train"]
    batches = train_batches(
      train,
      batch_size=config.batch_size,
      seed=config.seed * 10 + stage,
      process=jax.process_index(),
      num_processes=jax.process_count(),
    )
    latest = checkpoints.latest_step()
    if latest is not None:
      state, position = checkpoints.restore(latest, state)
      batches.set_state(position)
      messages.tell(f"stage {stage} goes on at step {latest}")
    with (
      contextlib.closing(
        MetricsWriter(
          config.workdir,
          stage=stage,
          start=latest or 0,
          before=sum(self.steps[done] for done in range(1, stage)),
          about=as_markdown(config),
          silent=not processes.first(),
        )
      ) as writer,
      self.stopping.later(),
    ):
      state = train_stage(
        stage_step(
          config,
          self.model,
          self.mesh,
          tx,
          weights,
          stage=stage,
          steps=self.steps,
          train_size=self.train_size,
        ),
        state,
        Prefetch(batches, lambda batch: shard_batch(batch, self.mesh)),
        stage=stage,
        num_steps=steps,
        key=jax.random.key(config.seed * 10 + stage),
        evaluate=self._evaluator(stage),
        eval_every=setup.eval_every(config, self.train_size),
        save_every=config.save_every,
        log_every=config.log_every,
        checkpoints=checkpoints,
        writer=writer,
        health=Health(
          stage,
          skip=config.on_nan == "skip",
          most=config.max_nan,
          names=functools.partial(not_finite.names, train),
          keep=functools.partial(
            not_finite.keep, train, config.workdir, stage, checkpoints
          ),
        ),
        stop=processes.agreed(self.stopping),
        scheduled=scheduled(config, stage, self.steps, self.train_size),
        illustrate=illustrator(
          config,
          self.model,
          self.dataset,
          writer,
          stage=stage,
          steps=steps,
          boxes=self.validation_boxes,
          interrupted=self.stopping.at_once,
        ),
      )
    if state.step < steps:
      raise Stopped(f"stage {stage} is saved at step {state.step} of {steps}")
    return state

  def _evaluator(self, stage: int) -> Callable[[TrainState], Figures]:
    """Build the validation; without validation images it has no figures."""
    if "validation" not in self.dataset.splits:
      return lambda state: {"selection": None}
    validate = make_validation(
      self.model,
      self.mesh,
      self.dataset.splits["validation"],
      self.names,
      stage=stage,
      batch_size=fitting(self.config.eval_batch_size, self.mesh),
      boxes=self.validation_boxes,
    )

    def evaluate(state: TrainState) -> Figures:
      variables = {"params": state.params, "batch_stats": state.batch_stats}
      # A signal interrupts an evaluation, which may be long. The continued run
      # repeats the steps since the last checkpoint and evaluates then.
      with self.stopping.at_once():
        return validate(variables)

    return evaluate

  def score(self, variables: Any) -> None:
    """Score the test split and write tables, pictures and the report.

    Only the first process does it, on its own devices, because most of the
    work is on the host.

    Args:
      variables: of the last stage.
    """
    if not processes.first():
      return
    config, mesh = self.config, make_mesh(jax.local_devices())
    score_model(
      self.model,
      jax.device_put(jax.device_get(variables), replicated(mesh)),
      mesh,
      self.dataset,
      config.workdir,
      image_size=config.image_size,
      batch_size=fitting(config.eval_batch_size, mesh),
      stage=config.stage,
      maps=config.maps,
      seed=config.seed,
      num_examples=config.num_examples,
      about={"config": as_json(config)},
      options=config.read,
    )
    # After the results: it may fail, and they are there.
    self.has_report = try_report(config.workdir)
