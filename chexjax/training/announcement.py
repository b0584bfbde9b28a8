"""What a run tells the user before its first step."""

import jax

from chexjax import messages
from chexjax.models import ChexModel
from chexjax.training import setup, time_estimate
from chexjax.training.config import Config


def announce(
  config: Config,
  model: ChexModel,
  *,
  sizes: dict[str, int],
  steps: dict[int, int],
  boxes_known: bool,
  weights: str,
) -> None:
  """Tell the user what a run will do and about how long it takes.

  Args:
    config: of the run.
    model: to be trained.
    sizes: split -> number of images.
    steps: stage -> number of steps.
    boxes_known: whether a validation image has a box.
    weights: what the run starts from, as text.
  """
  messages.tell("Research software, not a medical device.")
  messages.tell(f"devices: {', '.join(map(str, jax.devices()))}")
  messages.tell(f"images: {sizes}; findings: {model.num_classes}")
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
  minutes = _seconds(config, model, sizes, steps) / 60
  messages.tell(
    f"about {max(1, round(minutes))} min in all, an estimate from counted "
    "operations; the time left follows after a stage's first steps"
  )
  messages.tell(f"results go to {config.workdir}")


def _seconds(
  config: Config,
  model: ChexModel,
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
