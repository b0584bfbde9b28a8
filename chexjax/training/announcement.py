"""What a run tells the user before its first step."""

import jax

from chexjax import messages
from chexjax.data.sources import Dataset, label_matrix
from chexjax.progress import Progress
from chexjax.systems import Model
from chexjax.training import setup, time_estimate
from chexjax.training.config import Config

# Below this many positive images hardly anything is learnt of a finding.
ENOUGH_POSITIVES = 50


def announce(
  config: Config,
  model: Model,
  dataset: Dataset,
  *,
  steps: dict[int, int],
  boxes_known: bool,
  weights: str,
) -> None:
  """Tell the user what a run will do and about how long it takes.

  Args:
    config: of the run.
    model: to be trained.
    dataset: of the run.
    steps: stage -> number of steps.
    boxes_known: whether a validation image has a box.
    weights: what the run starts from, as text.
  """
  sizes = {name: len(split) for name, split in dataset.splits.items()}
  messages.tell("Research software, not a medical device.")
  rate = time_estimate.matmul_rate() / 1e9
  messages.tell(
    f"devices: {', '.join(map(str, jax.devices()))}; a matrix product runs at "
    f"{rate:.0f} GFLOP/s"
  )
  told = ", ".join(f"{count:,} {name}" for name, count in sizes.items())
  messages.tell(f"images: {told}; findings: {model.num_classes}")
  names = dataset.metadata["findings"]
  known = label_matrix(dataset.splits["train"])
  positives = dict(zip(names, (known == 1).sum(0).tolist()))
  few = [name for name, count in positives.items() if count < ENOUGH_POSITIVES]
  if few:
    messages.tell(
      f"note: fewer than {ENOUGH_POSITIVES} training images have "
      f"{', '.join(few)}: expect nothing of {'it' if len(few) == 1 else 'them'}"
    )
  for stage in range(1, config.stage + 1):
    messages.tell(
      f"stage {stage}: {steps[stage]} steps of {config.batch_size} images"
    )
  if config.batch_size > sizes["train"]:
    messages.tell(
      f"note: a batch of {config.batch_size} holds some of the "
      f"{sizes['train']} training images twice"
    )
  if "validation" not in sizes:
    messages.tell("note: no validation image: every stage keeps its last step")
  elif config.stage > 1 and not boxes_known:
    messages.tell(
      "note: no validation image has a box: the regions' IoU is not watched"
    )
  messages.tell(f"weights: {weights}")
  with Progress("counting the operations of a step"):
    minutes = _seconds(config, model, sizes, steps) / 60
  messages.tell(
    f"about {max(1, round(minutes))} min in all, an estimate from counted "
    "operations; the time left follows after a stage's first steps"
  )
  messages.tell(f"results go to {config.workdir}")


def _seconds(
  config: Config,
  model: Model,
  sizes: dict[str, int],
  steps: dict[int, int],
) -> float:
  """Estimate the duration of training, validation and the test split."""
  stages = range(1, config.stage + 1)
  every = setup.eval_every(config, sizes["train"])
  seen = {
    stage: sizes.get("validation", 0) * max(1, steps[stage] // every)
    for stage in stages
  }
  seen[config.stage] += sizes["test"]
  evidence = setup.evidence(config)
  return time_estimate.seconds(
    model,
    image_size=config.image_size,
    train_images={stage: steps[stage] * config.batch_size for stage in stages},
    eval_images=seen,
    # Regions of half of a batch's images are weighed.
    regions=evidence.regions / 2 if evidence else 0,
  )
