"""The main job: train up to `--stage`, then print the paper's tables.

python -m experiments.run --stage=3
"""

import sys
import time
from typing import Any

import jax
import numpy as np

from chexjax import evaluation, ops
from chexjax.data.pipeline import train_batches
from chexjax.data.sources import Dataset, label_matrix
from chexjax.models import ChexModel
from chexjax.report.cases import NAME, CaseWriter
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.loop import train_stage
from chexjax.training.state import (
  create_state,
  make_mesh,
  replicated,
  shard_batch,
)
from chexjax.training.steps import make_train_step
from chexjax.training.writer import MetricsWriter
from experiments import flags, output, prepare, provenance, scoring
from experiments.configs import Config
from experiments.recording import Recording


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  config = flags.parse(sys.argv[1:] if argv is None else argv, prog="run")
  flags.store(config, provenance.collect())
  began = time.monotonic()
  try:
    dataset = prepare.open_data(config)
    need = ("train", "validation", "test")
    missing = [name for name in need if name not in dataset.splits]
    if missing:
      raise ValueError(
        f"no image of split {', '.join(missing)}; found "
        f"{ {k: len(v) for k, v in dataset.splits.items()} }. Training needs "
        "images of all three lists"
      )
    if len(dataset.splits["train"]) < config.batch_size:
      raise ValueError(
        f"--batch_size={config.batch_size} is more than the "
        f"{len(dataset.splits['train'])} training images"
      )
  except (FileNotFoundError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  Run(config, dataset).all_stages()
  print(f"done in {(time.monotonic() - began) / 60:.1f} min")
  return 0


class Run:
  """One configuration on one dataset, in one workdir."""

  def __init__(self, config: Config, dataset: Dataset):
    """Prepares what all stages share, and says what will be done."""
    self.config, self.dataset = config, dataset
    self.names = list(dataset.metadata["findings"])
    self.mesh = make_mesh()
    self.model: ChexModel = prepare.make_model(config, len(self.names))
    self.train_size = len(dataset.splits["train"])
    self.steps = prepare.stage_steps(config, self.train_size)
    self._announce()

  def _announce(self):
    sizes = {name: len(split) for name, split in self.dataset.splits.items()}
    print(f"devices: {', '.join(map(str, jax.devices()))}")
    print(f"images: {sizes}; findings: {len(self.names)}")
    for stage in range(1, self.config.stage + 1):
      print(
        f"stage {stage}: {self.steps[stage]} steps of "
        f"{self.config.batch_size} images"
      )
    print("weights: from scratch (no pre-trained weights)")
    print(
      f"results go to {self.config.workdir}; the time left is shown after a "
      "stage's first steps. Research software, not a medical device.",
      flush=True,
    )

  def all_stages(self) -> None:
    """Trains what is not finished, then scores the test split."""
    variables: Any = jax.device_put(
      prepare.init_variables(self.config, self.model), replicated(self.mesh)
    )
    weights = prepare.class_weights(
      self.config, label_matrix(self.dataset.splits["train"])
    )
    for stage in range(1, self.config.stage + 1):
      variables = self._stage(stage, variables, weights)
    self.score(variables)

  def finished_variables(self) -> Any:
    """Returns the best variables of the last stage, without training.

    Raises:
      ValueError: a stage is not finished; says which and how to go on.
    """
    stage, last = self.config.stage, self.steps[self.config.stage]
    path = self.config.workdir / "checkpoints" / f"stage{stage}"
    latest = Checkpoints(path).latest_step() if path.is_dir() else None
    if latest != last:
      raise ValueError(
        f"stage {stage} in {self.config.workdir} is at step {latest or 0} of "
        f"{last}; finish it with the command in config.json, then evaluate"
      )
    fresh = prepare.init_variables(self.config, self.model)
    return self._stage(stage, jax.device_put(fresh, replicated(self.mesh)), ())

  def _stage(self, stage, variables, weights):
    """Trains one stage, or goes on with it; returns its best variables."""
    config, steps = self.config, self.steps[stage]
    tx = prepare.make_tx(config, stage, steps, self.train_size)
    state = create_state(variables, tx, stage=stage)
    state = jax.device_put(state, replicated(self.mesh))
    checkpoints = Checkpoints(config.workdir / "checkpoints" / f"stage{stage}")
    batches = train_batches(
      self.dataset.splits["train"],
      batch_size=config.batch_size // jax.process_count(),
      seed=config.seed * 10 + stage,
      process=jax.process_index(),
      num_processes=jax.process_count(),
    )
    latest = checkpoints.latest_step()
    if latest is not None:
      like = state
      state, position = checkpoints.restore(latest, like)
      batches.set_state(position)
      verb = "is finished" if latest == steps else "goes on"
      print(f"stage {stage} {verb} at step {latest}", flush=True)
    if latest != steps:
      writer = MetricsWriter(config.workdir, stage=stage, start=latest or 0)
      options = config.augment
      step_fn = make_train_step(
        self.model,
        tx,
        self.mesh,
        stage=stage,
        beta_pos=weights[0],
        beta_neg=weights[1],
        cls_scale=getattr(config, f"stage{stage}").cls_scale,
        augment=lambda key, image: ops.augment(
          key,
          image,
          zoom=options.zoom,
          translate=options.translate,
          rotate=options.rotate,
          flip=options.flip,
        ),
        tau=prepare.tau_schedule(config, stage, self.steps),
      )
      state = train_stage(
        step_fn,
        state,
        batches,
        stage=stage,
        num_steps=steps,
        key=jax.random.key(config.seed * 10 + stage),
        place=lambda batch: shard_batch(batch, self.mesh),
        evaluate=self._evaluator(stage),
        eval_every=prepare.eval_every(config, self.train_size),
        save_every=config.save_every,
        log_every=config.log_every,
        checkpoints=checkpoints,
        writer=writer,
      )
      writer.close()
    best = checkpoints.best_step()
    if best is not None and best != steps:
      state, _ = checkpoints.restore(best, state)
    checkpoints.close()
    auc = checkpoints.best_auc()
    shown = "undefined" if auc is None else f"{auc:.3f}"
    print(f"stage {stage}: best validation AUC {shown}, at step {best}")
    return {"params": state.params, "batch_stats": state.batch_stats}

  def _evaluator(self, stage):
    classify = scoring.make_classifier(
      self.model,
      self.mesh,
      self.dataset.splits["validation"],
      stage=stage,
      batch_size=self.config.eval_batch_size,
    )

    def evaluate(state):
      variables = {"params": state.params, "batch_stats": state.batch_stats}
      aucs = classify(variables, self.names).auc.values()
      defined = [value for value in aucs if value is not None]
      return {"auc": float(np.mean(defined)) if defined else None}

    return evaluate

  def score(self, variables: Any) -> None:
    """Scores the test split and writes tables and pictures."""
    config = self.config
    with CaseWriter(config.workdir / NAME) as pictures:
      recording = Recording(pictures)
      classification, table, cases = scoring.score_test(
        self.model,
        variables,
        self.mesh,
        self.dataset,
        size=config.image_size,
        batch_size=config.eval_batch_size,
        maps=config.maps,
        names=self.names,
        recording=recording,
      )
    images = recording.images(self.names)
    phantom = config.data_dir is None
    results = evaluation.assemble(
      classification,
      table,
      dataset="phantom" if phantom else "ChestX-ray14",
      provenance=provenance.collect()
      | {
        "config": flags.as_json(config),
        "trained_stages": config.stage,
        "dataset": self.dataset.metadata,
      },
      images=images,
      others=recording.others,
      seed=config.seed,
    )
    tables = output.write(
      config.workdir, results, images, table, published=not phantom
    )
    print(tables)
    folder = config.workdir / "figures"
    folder.mkdir(exist_ok=True)
    count = scoring.draw_examples(
      folder, self.dataset, table, cases, per_finding=config.num_examples
    )
    print(f"{count} examples in {folder}, results in {config.workdir}")


if __name__ == "__main__":
  sys.exit(main())
