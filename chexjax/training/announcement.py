"""What a run or an evaluation tells the user before its first step."""

from collections.abc import Sequence

import jax

from chexjax import messages
from chexjax.data.sources import Dataset, Source, label_matrix
from chexjax.evaluation.protocols.patient_counts import LEAST
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
  scoring: bool = False,
) -> None:
  """Tell the user what a run will do and about how long it takes.

  Args:
    config: of the run.
    model: to be trained.
    dataset: of the run.
    steps: stage -> number of steps.
    boxes_known: whether a validation image has a box.
    weights: what the run starts from, as text.
    scoring: whether the run is finished and only scored again. Then nothing is
      told of its training.
  """
  if scoring:
    films = len(dataset.splits["test"])
    messages.tell(
      f"scoring only, nothing is trained: {films:,} test images; findings: "
      f"{model.num_classes}; the model of stage {config.stage}"
    )
    return
  sizes = {name: len(split) for name, split in dataset.splits.items()}
  messages.tell("Research software, not a medical device.")
  rate = time_estimate.matmul_rate() / 1e9
  messages.tell(
    f"devices: {', '.join(map(str, jax.devices()))}; a matrix product runs at "
    f"{rate:.0f} GFLOP/s"
  )
  told = ", ".join(f"{count:,} {name}" for name, count in sizes.items())
  messages.tell(f"images: {told}; findings: {model.num_classes}")
  for stage in range(1, config.stage + 1):
    messages.tell(
      f"stage {stage}: {steps[stage]} steps of {config.batch_size} images"
    )
  for note in notes(config, dataset, boxes_known=boxes_known):
    messages.tell(f"note: {note}")
  messages.tell(f"weights: {weights}")
  with Progress("counting the operations of a step"):
    minutes = _seconds(config, model, sizes, steps) / 60
  messages.tell(
    f"about {max(1, round(minutes))} min in all, an estimate from counted "
    "operations; the time left follows after a stage's first steps"
  )
  messages.tell(f"results go to {config.workdir}")


def notes(config: Config, dataset: Dataset, *, boxes_known: bool) -> list[str]:
  """Return what the numbers of films foretell of a run's results.

  Args:
    config: of the run.
    dataset: with the splits `train` and `test`.
    boxes_known: whether a validation image has a box.

  Returns:
    A sentence each: findings with few training images or few test patients, a
    batch of more than all images, what a validation cannot watch.
  """
  names = dataset.metadata["findings"]
  said = []
  known = label_matrix(dataset.splits["train"])
  positives = dict(zip(names, (known == 1).sum(0).tolist()))
  few = [name for name, count in positives.items() if count < ENOUGH_POSITIVES]
  if few:
    said.append(
      f"fewer than {ENOUGH_POSITIVES} training images have "
      f"{', '.join(few)}: expect nothing of {'it' if len(few) == 1 else 'them'}"
    )
  patients, boxed = _test_patients(names, dataset.splits["test"])
  few = [name for name, count in patients.items() if count < LEAST]
  if len(few) == len(patients):
    said.append(
      f"no finding has {LEAST} test patients: figures of single findings "
      "alone, no means"
    )
  elif few:
    said.append(
      f"{len(few)} of {len(patients)} findings have fewer than {LEAST} test "
      "patients: they are in no mean"
    )
  size = len(dataset.splits["train"])
  if config.batch_size > size:
    said.append(
      f"a batch of {config.batch_size} holds some of the {size} training "
      "images twice"
    )
  if "validation" not in dataset.splits:
    said.append("no validation image: every stage keeps its last step")
  elif config.stage > 1 and boxed and not boxes_known:
    # Of a set without any box, the results say that places are not scored.
    said.append(
      "no validation image has a box: the regions' IoU is not watched"
    )
  return said


def _test_patients(
  names: Sequence[str], source: Source
) -> tuple[dict[str, int], bool]:
  """Count the patients with a positive test film of each finding.

  Args:
    names: of the findings.
    source: the test films.

  Returns:
    Finding -> patients; and whether any film has a true box.
  """
  found: list[set[int]] = [set() for _ in names]
  boxed = False
  for row in map(source.annotation, range(len(source))):
    boxed |= len(row["objects"]["label"]) > 0
    for k, label in enumerate(row["labels"]):
      if label == 1:
        found[k].add(int(row["patient_id"]))
  return {name: len(of) for name, of in zip(names, found)}, boxed


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
