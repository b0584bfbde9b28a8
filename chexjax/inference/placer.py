"""What the placed maps of a set take from its other splits."""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from chexjax import evaluation, messages
from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import Dataset, Source
from chexjax.inference.members import Ready
from chexjax.inference.placing import measure_prior, place
from chexjax.inference.views import mean_logits, mean_maps
from chexjax.progress import Progress
from chexjax.types import MapOptions

# The AUC of fewer films with a finding is mostly chance.
_LEAST_FILMS = 10

Placer = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]


def make_placer(
  ensemble: Sequence[Ready],
  dataset: Dataset,
  options: MapOptions,
  *,
  batch_size: int,
) -> Placer | None:
  """Return what makes an image's placed maps of its maps.

  Args:
    ensemble: the models.
    dataset: with a split `train` where there is a prior, and `validation` with
      `centre_by_auc`.
    options: how much is smoothed and blended.
    batch_size: films at a time, a multiple of the mesh's devices.

  Returns:
    `place` but for its maps; None where the options ask for none.

  Raises:
    ValueError: a split is missing, or says nothing about any finding.
  """
  if not options.places:
    return None
  prior, centre = None, None
  if options.prior:
    films = _split(dataset, "train", "prior=0")

    def saliency(images: np.ndarray) -> np.ndarray:
      maps = ({"first": each.first_map(images)} for each in ensemble)
      return mean_maps(maps)["first"]

    prior = measure_prior(saliency, films, batch_size=batch_size)
  if options.centre_by_auc:
    films = _split(dataset, "validation", "centre_by_auc=False")
    names = dataset.metadata["findings"]
    centre = measure_doubt(
      lambda images: mean_logits(
        [np.asarray(each.run(images, maps=False)[0]) for each in ensemble]
      ),
      films,
      names,
      batch_size=batch_size,
    )
    said = (f"{name} {x:.2f}" for name, x in zip(names, centre, strict=True))
    messages.tell("weight of the film's middle: " + ", ".join(said))
  return functools.partial(place, prior=prior, options=options, doubt=centre)


def measure_doubt(
  logits: Callable[[np.ndarray], np.ndarray],
  source: Source,
  names: Sequence[str],
  *,
  batch_size: int,
) -> np.ndarray:
  """Measure how little the answers about each finding are worth.

  Args:
    logits: of `[B, S, S, 1]` films `[B, K]`.
    source: validation films.
    names: of the K findings.
    batch_size: films at a time.

  Returns:
    `[K]` in 0..1, twice what the AUC lacks of 1, and 1 where it is below .5. A
    finding that fewer than 10 of the films have, or all but as many, has the
    mean AUC of the others.

  Raises:
    ValueError: no finding has so many films.
  """
  labels, scores = [], []
  with Progress("AUC of validation films", total=len(source)) as progress:
    for batch in eval_batches(source, batch_size=batch_size):
      real = batch.mask > 0
      labels.append(batch.labels[real])
      scores.append(logits(batch.image)[real])
      progress.add(int(real.sum()))
  found = evaluation.classify(
    np.concatenate(labels), np.concatenate(scores), names
  )
  auc = np.array(
    [
      found.auc[name]
      if min(found.positives[name], found.negatives[name]) >= _LEAST_FILMS
      else np.nan
      for name in names
    ],
    np.float64,
  )
  if np.isnan(auc).all():
    raise ValueError(
      f"no finding has {_LEAST_FILMS} validation films with and without it: "
      "--centre_by_auc cannot be measured"
    )
  auc = np.where(np.isnan(auc), np.nanmean(auc), auc)
  return np.clip(2 * (1 - auc), 0, 1).astype(np.float32)


def _split(dataset: Dataset, name: str, otherwise: str) -> Source:
  """Return a split; `otherwise` is the option that does without it."""
  if name not in dataset.splits:
    raise ValueError(
      f"placed maps need {name} films here, and the folder has none; give "
      f"--{otherwise}"
    )
  films: Source = dataset.splits[name]
  return films
