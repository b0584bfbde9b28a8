"""Model, optimizer and schedules from a configuration."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from chexjax import ops
from chexjax.runtime import compile_cache, drawing
from chexjax.runtime.cache_home import cache_home
from chexjax.systems import OURS, Model, build_model
from chexjax.training.config import Config, EvidenceOptions, as_json
from chexjax.training.optimizers import make_optimizer
from chexjax.training.schedules import learning_rate

# Options that a train step does not depend on, or only through the other
# arguments of `recipe`.
_OUTSIDE_OF_STEPS = (
  "config", "stage", "maps", "workdir", "data_dir", "cache_dir",
  "compilation_cache", "init", "init_dir", "seed", "max_steps", "min_steps",
  "eval_batch_size", "eval_every_epochs", "save_every", "log_every",
  "coordinator", "num_processes", "process_id", "max_nan", "num_examples",
  "phantom_images", "phantom_seed", "shape", "uncertain", "more_data", "read",
  "train_share", "box_folds", "box_fold",
)  # fmt: skip


def use_compile_cache(config: Config) -> None:
  """Store compiled programs under `cache_dir`, unless the options forbid it.

  Args:
    config: of the run.

  Raises:
    ValueError: `cache_dir` cannot be written.
  """
  if config.compilation_cache:
    compile_cache.use_folder(cache_home(config.cache_dir) / "compiled")


def check_batch(config: Config) -> None:
  """Check that the batch is a multiple of all processes' devices.

  Args:
    config: of the run.

  Raises:
    ValueError: it is not; names the nearest sizes that are.
  """
  size, devices = config.batch_size, jax.device_count()
  if size % devices:
    low = size // devices * devices
    near = f"{low} and {low + devices}" if low else f"{devices}"
    raise ValueError(
      f"--batch_size={size} does not divide by {devices} devices; the nearest "
      f"that does: {near}"
    )


def make_model(config: Config, num_classes: int) -> Model:
  """Build the model that the configuration describes.

  Args:
    config: of the run.
    num_classes: K.

  Returns:
    The model.
  """
  options: dict[str, Any] = {
    name: tuple(value) if isinstance(value, list) else value
    for name, value in as_json(config)["model"].items()
  }
  if config.system == OURS:
    options["region_gradient"] = config.detection_loss == "crop"
  return build_model(
    config.system,
    num_classes,
    dtype=jnp.bfloat16 if config.precision == "bfloat16" else jnp.float32,
    tf32=config.precision == "tf32",
    remat=config.remat,
    **options,
  )


def evidence(config: Config) -> EvidenceOptions | None:
  """Return how regions are weighed, None under `--detection_loss=crop`."""
  return config.evidence if config.detection_loss == "evidence" else None


def init_variables(config: Config, model: Model) -> Any:
  """Draw fresh variables from the seed, the same on every platform.

  Args:
    config: of the run; gives the seed and the image size.
    model: whose variables are drawn.

  Returns:
    `params` and `batch_stats`, of numpy arrays.
  """
  shape = (1, config.image_size, config.image_size, 3)
  return drawing.draw(
    lambda key: model.init(key, jnp.zeros(shape)), jax.random.key(config.seed)
  )


def stage_steps(config: Config, num_examples: int) -> dict[int, int]:
  """Return the number of steps of each stage.

  Args:
    config: of the run.
    num_examples: training images.

  Returns:
    Stage -> steps, for stages 1, 2 and 3.
  """
  if config.max_steps is not None:
    return dict.fromkeys((1, 2, 3), config.max_steps)
  per_epoch = num_examples / config.batch_size
  return {
    stage: max(
      1,
      config.min_steps,
      round(getattr(config, f"stage{stage}").epochs * per_epoch),
    )
    for stage in (1, 2, 3)
  }


def eval_every(config: Config, num_examples: int) -> int:
  """Return the steps between evaluations.

  Args:
    config: of the run.
    num_examples: training images.
  """
  epochs = config.eval_every_epochs
  steps = math.ceil(epochs * num_examples / config.batch_size)
  # Of a stage with the fewest steps there are six evaluations at most.
  return max(1, config.min_steps // 6, steps)


def make_tx(
  config: Config, stage: int, steps: int, num_examples: int
) -> optax.GradientTransformation:
  """Build the optimizer of a stage.

  Args:
    config: of the run.
    stage: 1, 2 or 3.
    steps: of the stage.
    num_examples: training images.

  Returns:
    The optimizer; its warm-up is at most half of the stage.
  """
  options = getattr(config, f"stage{stage}")
  return make_optimizer(
    learning_rate(config, stage, steps, num_examples),
    weight_decay=options.weight_decay,
    b2=config.adam_b2,
    eps=config.adam_eps,
    factors={"detection": config.detection_factor} if stage > 1 else None,
  )


class ClassWeights(NamedTuple):
  """What the losses take from the labels of the training images.

  Attributes:
    beta_pos: `[K]` weights of `balance_weights`.
    beta_neg: `[K]` weights of `balance_weights`.
    partly_labelled: whether a label is not known.
  """

  beta_pos: jax.Array
  beta_neg: jax.Array
  partly_labelled: bool


def class_weights(config: Config, labels: np.ndarray) -> ClassWeights:
  """Compute the weights of positive and negative labels.

  Args:
    config: of the run; see its `class_total`.
    labels: `[N, K]` of the training images, 0 or 1, NaN where not known. A
      finding's frequency is that among the images where it is known.

  Returns:
    The weights.
  """
  known = ~np.isnan(labels)
  if not known.all():
    positives = np.nansum(labels, 0)
    seen = np.ones(len(labels))
    if config.class_total == "labels":
      seen = np.maximum(np.nansum(labels, 1), 1)
    # A finding that is known nowhere has no loss, whatever its weights.
    totals = np.maximum((known * seen[:, None]).sum(0), 1)
    share = jnp.asarray(positives / totals, jnp.float32)
    return _balanced(config, ClassWeights(1 - share, share, True))
  positives = labels.sum(0)
  total = float(len(labels))
  if config.class_total == "labels":
    total = float(positives.sum() + (labels.sum(1) == 0).sum())
  weights = ops.balance_weights(positives, total)
  return _balanced(config, ClassWeights(*weights, False))


def _balanced(config: Config, weights: ClassWeights) -> ClassWeights:
  """Return the weights under `--class_balance`."""
  if config.class_balance == "paper":
    return weights
  # A finding of 4 % keeps its weights; one of a few films does not take over.
  spread = jnp.maximum(weights.beta_pos * weights.beta_neg, 1e-4)
  factor = 0.2 / jnp.sqrt(spread)
  return weights._replace(
    beta_pos=weights.beta_pos * factor, beta_neg=weights.beta_neg * factor
  )


def recipe(
  config: Config,
  stage: int,
  steps: dict[int, int],
  train_size: int,
  weights: Any,
) -> str:
  """Return a text of all that a train step depends on.

  It identifies the step for `compile_cache.compiled`.

  Args:
    config: of the run.
    stage: of the step.
    steps: of each stage.
    train_size: training images.
    weights: of `class_weights`.
  """
  options = as_json(config)
  for name in _OUTSIDE_OF_STEPS:
    del options[name]
  numbers = [np.asarray(x, float).tolist() for x in weights]
  return repr((options, stage, steps, train_size, numbers))
