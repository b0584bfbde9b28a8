"""Training: state, steps, stages, checkpoints and the loop.

The modules load Orbax and grain, so each is imported by its own name.

- `config`: every option of a run
- `stages`: the stages of a run one after another, then the test split
- `announcement`: what a run tells the user before its first step
- `setup`: from options to model, optimizer and schedules
- `initial_weights`: what `--init` names
- `datasets`: the data of a run
- `workdir`: the options and the data that a workdir began with
- `state`, `steps`, `loop`: one stage
- `optimizers`, `evidence`: the optimizer, and the loss on regions
- `validation`, `region_figures`: what is measured during training
- `checkpoints`, `metrics_writer`: what a stage writes
- `health`, `not_finite`, `stopping`: NaN, no progress, signals
- `time_estimate`: duration of a run, from counted operations
- `rescore`: a finished run or other weights, scored again
"""

from chexjax.extras import require

require(
  "train",
  "grain",
  "optax",
  "orbax",
  "sklearn",
  "tensorboardX",
  "tensorflow_datasets",
)
